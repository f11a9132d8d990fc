"""Files (HC 8.6)."""

import pytest

from tests.support.pdf import pdf_of

MOST = 5_242_880


@pytest.fixture
def path(at):
    return f"{at}/sessions/s/messages/upload"


def upload(api, path, content, kind="text/plain", **fields):
    data = {"peer_id": "ann"} | fields
    return api.post(path, data=data, files={"file": ("a", content, kind)})


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_x100_an_empty_file_is_one_empty_message(api, at, path, kind):
    answer = upload(api, path, b"", kind)
    assert answer.status_code == 201
    assert [each["content"] for each in answer.json()] == [""]
    assert api.post(f"{at}/sessions/s/messages/list").json()["total"] == 1


def test_x101_what_cannot_be_taken_says_why(api, path):
    assert upload(api, path, b"x", "image/png").status_code == 415
    large = upload(api, path, b"x" * (MOST + 1))
    assert (large.status_code, large.json()["detail"]) == (
        413,
        f"File size ({MOST + 1} bytes) exceeds maximum allowed size ({MOST} bytes)",
    )
    file = {"file": ("a", b"x", "text/plain")}
    assert api.post(path, files=file).status_code == 422
    assert api.post(path, data={"peer_id": "ann"}).status_code == 422
    assert api.post(path, files=file, data={"peer_id": ""}).status_code == 422


def test_a_body_beyond_all_bounds_is_413(api, path):
    assert upload(api, path, b"x" * (40 * 2**20)).status_code == 413


def test_x102_invalid_metadata_is_ignored(api, path):
    answer = upload(api, path, b"x", metadata="{no json")
    assert (answer.status_code, answer.json()[0]["metadata"]) == (201, {})


def test_x103_a_long_text_is_several_messages(api, at, path):
    text = "A sentence of sixty-three characters, to be said a thousand! " * 1_033
    assert len(text) > 63_000
    answer = upload(api, path, text, metadata='{"a":1}')
    messages = answer.json()
    assert answer.status_code == 201
    assert len(messages) > 1
    assert "".join(each["content"] for each in messages) == text
    assert {each["peer_id"] for each in messages} == {"ann"}
    assert {each["session_id"] for each in messages} == {"s"}
    assert all(each["metadata"] == {"a": 1} for each in messages)
    listed = api.post(f"{at}/sessions/s/messages/list").json()["items"]
    assert [each["id"] for each in listed] == [each["id"] for each in messages]


def test_x104_json_is_written_anew(api, path):
    answer = upload(api, path, b'{"name":"test","n":[1,2]}', "application/json")
    [message] = answer.json()
    assert '"name": "test"' in message["content"]
    assert message["content"] == '{"name": "test", "n": [1, 2]}'


@pytest.mark.parametrize("sent", ["2024-01-01T12:00:00Z", "2024-01-01T12:00:00+00:00"])
def test_x105_every_message_has_the_time_given(api, at, path, sent):
    answer = upload(api, path, "word " * 6_000, created_at=sent)
    assert len(answer.json()) == 2
    assert {each["created_at"] for each in answer.json()} == {"2024-01-01T12:00:00Z"}
    listed = api.post(f"{at}/sessions/s/messages/list").json()["items"]
    assert {each["created_at"] for each in listed} == {"2024-01-01T12:00:00Z"}


def test_a_pdf_is_read_and_found(api, at, path):
    answer = upload(api, path, pdf_of("Green tea.", "Coffee."), "application/pdf")
    assert [each["content"] for each in answer.json()] == [
        "[Page 1]\nGreen tea.\n\n[Page 2]\nCoffee."
    ]
    found = api.post(f"{at}/search", json={"query": "green tea"}).json()
    assert found[0]["id"] == answer.json()[0]["id"]


def test_a_name_of_the_scopes_uploads_nothing(api, path):
    answer = upload(api, path, b"x", peer_id="scope.team")
    assert answer.status_code == 422
