"""Files over HTTP (HC E33; X100-X105)."""

import json

import pytest

from domain.session import MessageAdded
from tests.support.pdf import pdf_of

PATH = "/v3/workspaces/acme/sessions/s1/messages/upload"
MOST = 5_242_880


async def upload(app, content, kind="text/plain", path=PATH, headers=None, **fields):
    return await app.http.post(
        path,
        data={"peer_id": "ann"} | fields,
        files={"file": ("a.txt", content, kind)},
        headers=headers,
    )


async def said(app):
    page = await app.store.read_log(after=0, limit=5_000)
    return [e.event for e in page if isinstance(e.event, MessageAdded)]


async def test_a_text_becomes_a_message_like_any_other(app):
    answer = await upload(app, "Grüße.", metadata='{"a": 1}')
    assert answer.status_code == 201
    assert answer.headers["x-position"] == "5"
    [message] = answer.json()
    assert message == {
        "id": message["id"],
        "content": "Grüße.",
        "peer_id": "ann",
        "session_id": "s1",
        "metadata": {"a": 1},
        "created_at": "2026-11-22T12:00:00Z",
        "workspace_id": "acme",
        "token_count": 1,
    }


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("zwölf".encode(), "zwölf"),
        ("zwölf".encode("utf-16"), "zwölf"),
        (b"zw\xf6lf", "zw\xf6lf"),
        (b"a\x00b", "ab"),
        (b"", ""),
    ],
)
async def test_x100_text_is_utf8_else_utf16_else_latin1(app, content, text):
    answer = await upload(app, content)
    assert [each["content"] for each in answer.json()] == [text]


@pytest.mark.parametrize("kind", ["application/json", "application/pdf"])
async def test_x100_an_empty_file_of_any_type_is_one_empty_message(app, kind):
    answer = await upload(app, b"", kind)
    assert answer.status_code == 201
    assert [each["content"] for each in answer.json()] == [""]


async def test_x104_json_is_written_anew_on_one_line(app):
    answer = await upload(app, '{"name":"test",\n "u":["é",1.0]}', "application/json")
    assert answer.json()[0]["content"] == '{"name": "test", "u": ["é", 1.0]}'


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"{", "Uploaded JSON is invalid"),
        (b"[NaN]", "Uploaded JSON is invalid"),
        (b'"\\ud800"', "Uploaded JSON is invalid"),
        (b"[" * 200_000, "Uploaded JSON is invalid"),
        (b"9" * 10_000, "Uploaded JSON is invalid"),
        ('"é"'.encode("latin-1"), "JSON uploads must be UTF-8 encoded"),
    ],
)
async def test_json_that_is_none_is_refused(app, content, detail):
    answer = await upload(app, content, "application/json")
    assert (answer.status_code, answer.json()) == (422, {"detail": detail})
    assert await said(app) == []


async def test_blank_json_is_an_empty_message(app):
    answer = await upload(app, b" \n", "application/json")
    assert [each["content"] for each in answer.json()] == [""]


async def test_a_pdf_is_read_page_by_page(app):
    answer = await upload(app, pdf_of("One.", "", "Two."), "application/pdf")
    assert [each["content"] for each in answer.json()] == [
        "[Page 1]\nOne.\n\n[Page 3]\nTwo."
    ]


async def test_a_pdf_that_is_none_is_refused(app):
    answer = await upload(app, b"no pdf", "application/pdf")
    assert answer.status_code == 422


async def test_x103_a_long_text_is_several_messages_with_the_same_fields(app):
    answer = await upload(app, "word " * 12_600, metadata='{"a":1}')
    assert len(answer.json()) == 3
    assert "".join(e["content"] for e in answer.json()) == "word " * 12_600
    for field in ("peer_id", "session_id", "metadata", "created_at"):
        assert len({json.dumps(each[field]) for each in answer.json()}) == 1
    assert [each.seq for each in await said(app)] == [1, 2, 3]


async def test_more_than_a_hundred_pieces_are_taken(app):
    answer = await upload(app, "x" * (25_000 * 120))
    assert (answer.status_code, len(answer.json())) == (201, 120)


@pytest.mark.parametrize(
    "kind", ["image/png", "application/json; charset=utf-8", "application/octet-stream"]
)
async def test_x101_other_types_are_415(app, kind):
    answer = await upload(app, b"{}", kind)
    assert answer.status_code == 415
    assert answer.json()["detail"].startswith(
        f"Unsupported file type: {kind}. Supported types: ["
    )


async def test_a_text_may_say_its_charset(app):
    assert (await upload(app, b"a", "text/plain; charset=utf-8")).status_code == 201


async def test_x101_too_large_is_413_before_its_type_is_looked_at(app):
    answer = await upload(app, b"a" * (MOST + 1), "image/png")
    assert (answer.status_code, answer.json()["detail"]) == (
        413,
        f"File size ({MOST + 1} bytes) exceeds maximum allowed size ({MOST} bytes)",
    )
    assert (await upload(app, b"a" * MOST, "image/png")).status_code == 415


@pytest.mark.parametrize(
    ("data", "files", "missing"),
    [
        ({"peer_id": "ann"}, {}, ["file"]),
        ({}, {"file": ("a", b"", "text/plain")}, ["peer_id"]),
        ({"peer_id": ""}, {"file": ("a", b"", "text/plain")}, ["peer_id"]),
        ({"other": "x"}, {}, ["file", "peer_id"]),
    ],
)
async def test_x101_what_is_missing_is_422(app, data, files, missing):
    answer = await app.http.post(PATH, data=data, files=files)
    assert answer.status_code == 422
    found = [(each["type"], each["loc"]) for each in answer.json()["detail"]]
    assert found == [("missing", ["body", name]) for name in missing]


async def test_a_body_that_is_no_form_lacks_everything(app):
    answer = await app.http.post(PATH, json={"peer_id": "ann"})
    assert answer.status_code == 422
    assert [e["loc"][-1] for e in answer.json()["detail"]] == ["file", "peer_id"]


async def test_a_file_sent_as_text_is_no_file(app):
    answer = await app.http.post(
        PATH, files={"file": (None, "text"), "peer_id": (None, "ann")}
    )
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "file"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"nothing"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disp"),
        (
            "multipart/form-data; boundary=x",
            (
                b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
                b"\r\nbroken off"
            ),
        ),
        (
            "multipart/form-data; boundary=x",
            (
                b'--x\r\nContent-Disposition: form-data; name="peer_id"\r\n\r\n\xff\xfe'
                b"\r\n--x--\r\n"
            ),
        ),
        (
            "multipart/form-data; boundary=x",
            (
                b'--x\r\nContent-Disposition: form-data; name="peer_id"\r\n'
                b"Content-Type: text/plain; charset=nope\r\n\r\na\r\n--x--\r\n"
            ),
        ),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n\r\n" * 2_000),
    ],
)
async def test_a_malformed_form_is_422(app, content_type, body):
    answer = await app.http.post(
        PATH, content=body, headers={"content-type": content_type}
    )
    assert answer.status_code == 422
    assert await said(app) == []


@pytest.mark.parametrize("value", ["{", "nonsense", "null", ""])
async def test_x102_fields_that_are_no_json_count_as_not_sent(app, value):
    answer = await upload(app, b"a", metadata=value, configuration=value)
    assert (answer.status_code, answer.json()[0]["metadata"]) == (201, {})


@pytest.mark.parametrize("field", ["metadata", "configuration"])
async def test_json_of_another_type_is_422(app, field):
    answer = await upload(app, b"a", **{field: "[1]"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


async def test_metadata_keeps_its_limits(app):
    deep = '{"a":{"a":{"a":{"a":{"a":1}}}}}'
    assert (await upload(app, b"a", metadata=deep)).status_code == 201
    assert (await upload(app, b"a", metadata=f'{{"a":{deep}}}')).status_code == 422


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2024-01-01T12:00:00Z", "2024-01-01T12:00:00Z"),
        ("2024-01-01T12:00:00+02:00", "2024-01-01T12:00:00+02:00"),
        ("yesterday", "2026-11-22T12:00:00Z"),
        ("0001-01-01T00:00:00+23:00", "2026-11-22T12:00:00Z"),
    ],
)
async def test_x105_every_message_gets_the_time_if_it_is_one(app, sent, shown):
    answer = await upload(app, "word " * 6_000, created_at=sent)
    assert {each["created_at"] for each in answer.json()} == {shown}


async def test_configuration_is_honoured(app):
    await upload(app, b"a", configuration='{"reasoning":{"enabled":false}}')
    assert [each.derive for each in await said(app)] == [False]


async def test_a_repeated_key_answers_the_same_though_forms_differ(app):
    key = {"idempotency-key": "k"}
    first = await upload(app, b"hello", headers=key)
    again = await upload(app, b"hello", headers=key)
    other = await upload(app, b"else", headers=key)
    kinds = {each.request.headers["content-type"] for each in (first, again)}
    assert len(kinds) == 2  # each form has a boundary of its own
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert other.status_code == 422
    assert len(await said(app)) == 1
