"""Bad input: its status and body, never a 500, and no event (HC 1.11-1.13)."""

import msgspec
import pytest

MESSAGES = "/acme/sessions/s1/messages"
PEERS = "/acme/peers"
SESSIONS = "/acme/sessions"
CHAT = "/acme/peers/ann/chat"
CARD = "/acme/peers/ann/card"
MEMBERS = "/acme/sessions/s1/peers"
DEEP = 10_000


def said(**fields):
    return {"messages": [{"content": "hello", "peer_id": "ann", **fields}]}


def objects(depth):
    value = {}
    for _ in range(depth - 1):
        value = {"k": value}
    return value


BODIES = [
    # method, path, body, type and place of each item
    ("POST", "", {}, [("missing", ["body", "id"])]),
    ("POST", "", None, [("missing", ["body"])]),
    ("POST", "", b"", [("missing", ["body"])]),
    ("POST", "", [], [("model_attributes_type", ["body"])]),
    ("POST", "", "acme", [("model_attributes_type", ["body"])]),
    ("POST", "", 7, [("model_attributes_type", ["body"])]),
    ("POST", "", {"id": 7}, [("string_type", ["body", "id"])]),
    ("POST", "", {"id": None}, [("string_type", ["body", "id"])]),
    ("POST", "", {"id": ""}, [("string_too_short", ["body", "id"])]),
    ("POST", "", {"id": "a" * 513}, [("string_too_long", ["body", "id"])]),
    ("POST", "", {"name": "a b"}, [("string_pattern_mismatch", ["body", "name"])]),
    ("POST", "", {"id": "ab\n"}, [("string_pattern_mismatch", ["body", "id"])]),
    ("POST", "", {"id": "a\x00"}, [("string_pattern_mismatch", ["body", "id"])]),
    ("POST", "", {"id": "a.b", "name": "ab"}, [("string_pattern_mismatch", None)]),
    ("POST", "", b'{"id":"\\ud800"}', [("string_unicode", ["body", "id"])]),
    (
        "POST",
        "",
        {"id": "a", "metadata": None, "configuration": None},
        [
            ("dict_type", ["body", "metadata"]),
            ("model_attributes_type", ["body", "configuration"]),
        ],
    ),
    ("PUT", "/acme", b"", [("missing", ["body"])]),
    ("PUT", "/acme", None, [("missing", ["body"])]),
    ("PUT", "/acme", {"metadata": []}, [("dict_type", ["body", "metadata"])]),
    (
        "PUT",
        "/acme",
        {"metadata": {str(n): n for n in range(101)}},
        [("value_error", ["body", "metadata"])],
    ),
    (
        "PUT",
        "/acme",
        {"metadata": objects(6)},
        [("value_error", ["body", "metadata"])],
    ),
    (
        "PUT",
        "/acme",
        b'{"metadata":' + b'{"a":[' * 90 + b"]}" * 90 + b"}",
        [("value_error", ["body", "metadata"])],
    ),
    (
        "PUT",
        "/acme",
        b'{"metadata":{"a":"\\ud800"}}',
        [("value_error", ["body", "metadata"])],
    ),
    (
        "PUT",
        "/acme",
        b'{"metadata":{"\\udfff":1}}',
        [("value_error", ["body", "metadata"])],
    ),
    (
        "PUT",
        "/acme",
        b'{"metadata":{"a":1e400}}',
        [("value_error", ["body", "metadata"])],
    ),
    (
        "PUT",
        "/acme",
        b'{"configuration":{"any":"\\ud800"}}',
        [("value_error", ["body", "configuration"])],
    ),
    (
        "PUT",
        "/acme",
        {"configuration": {"reasoning": "yes"}},
        [("model_attributes_type", ["body", "configuration", "reasoning"])],
    ),
    (
        "PUT",
        "/acme",
        {"configuration": {"reasoning": {"enabled": "maybe"}}},
        [("bool_parsing", ["body", "configuration", "reasoning", "enabled"])],
    ),
    (
        "PUT",
        "/acme",
        {"configuration": {"reasoning": {"custom_instructions": "do " * 2_001}}},
        [
            (
                "value_error",
                ["body", "configuration", "reasoning", "custom_instructions"],
            )
        ],
    ),
    (
        "PUT",
        "/acme",
        {"configuration": {"summary": {"messages_per_short_summary": 9}}},
        [
            (
                "greater_than_equal",
                ["body", "configuration", "summary", "messages_per_short_summary"],
            )
        ],
    ),
    (
        "PUT",
        "/acme",
        {
            "configuration": {
                "summary": {
                    "messages_per_short_summary": 30,
                    "messages_per_long_summary": 30,
                }
            }
        },
        [("value_error", ["body", "configuration", "summary"])],
    ),
    ("POST", PEERS, {"id": "scope.x"}, [("string_pattern_mismatch", ["body", "id"])]),
    ("PUT", PEERS + "/ann", {"configuration": 1}, [("dict_type", None)]),
    ("PUT", CARD, {"peer_card": None}, [("list_type", ["body", "peer_card"])]),
    ("PUT", CARD, {}, [("missing", ["body", "peer_card"])]),
    ("PUT", CARD, {"peer_card": [1]}, [("string_type", ["body", "peer_card", 0])]),
    (
        "POST",
        SESSIONS,
        {"id": "s", "peers": ["ann"]},
        [("dict_type", ["body", "peers"])],
    ),
    (
        "POST",
        SESSIONS,
        {"id": "s", "peer_names": {"ann": None}},
        [("model_attributes_type", ["body", "peer_names", "ann"])],
    ),
    ("POST", SESSIONS, {"id": "s", "scopes": "x"}, [("list_type", ["body", "scopes"])]),
    (
        "POST",
        MEMBERS,
        {str(n): {} for n in range(1_001)},
        [("too_long", ["body"])],
    ),
    ("POST", MEMBERS, ["ann"], [("dict_type", ["body"])]),
    (
        "POST",
        MEMBERS,
        {"ann": {"observe_me": 2}},
        [("bool_parsing", ["body", "ann", "observe_me"])],
    ),
    ("DELETE", MEMBERS, {"ann": {}}, [("list_type", ["body"])]),
    ("DELETE", MEMBERS, b"", [("missing", ["body"])]),
    ("DELETE", MEMBERS, [1], [("string_type", ["body", 0])]),
    ("POST", MESSAGES, {"messages": []}, [("too_short", ["body", "messages"])]),
    (
        "POST",
        MESSAGES,
        {"messages": said()["messages"] * 101},
        [("too_long", ["body", "messages"])],
    ),
    ("POST", MESSAGES, {"messages": {}}, [("list_type", ["body", "messages"])]),
    (
        "POST",
        MESSAGES,
        {"messages": [{"peer_name": "ann"}, 7]},
        [
            ("missing", ["body", "messages", 0, "content"]),
            ("missing", ["body", "messages", 0, "peer_id"]),
            ("model_attributes_type", ["body", "messages", 1]),
        ],
    ),
    (
        "POST",
        MESSAGES,
        said(content="x" * 25_001),
        [("string_too_long", ["body", "messages", 0, "content"])],
    ),
    (
        "POST",
        MESSAGES,
        b'{"messages":[{"content":"\\ud800","peer_id":"ann"}]}',
        [("string_unicode", ["body", "messages", 0, "content"])],
    ),
    (
        "POST",
        MESSAGES,
        said(metadata=objects(6)),
        [("value_error", ["body", "messages", 0, "metadata"])],
    ),
    *(
        ("POST", MESSAGES, said(created_at=moment), [(kind, None)])
        for moment, kind in [
            ("yesterday", "datetime_from_date_parsing"),
            (True, "datetime_type"),
            (1e300, "datetime_parsing"),
            ("0001-01-01T00:00:00+05:00", "value_error"),
            ("9999-12-31T23:59:59-05:00", "value_error"),
            ("0001-01-01T00:00:00", "value_error"),
            ("0001-01-01T05:00:00+05:00", "value_error"),
            ("9999-12-31T23:59:59.999999Z", "value_error"),
        ]
    ),
    ("POST", CHAT, {}, [("missing", ["body", "query"])]),
    ("POST", CHAT, {"query": ""}, [("string_too_short", ["body", "query"])]),
    ("POST", CHAT, {"query": "x" * 10_001}, [("string_too_long", ["body", "query"])]),
    (
        "POST",
        CHAT,
        {"query": "a", "stream": None, "reasoning_level": None},
        [("bool_type", ["body", "stream"]), ("literal_error", None)],
    ),
    (
        "POST",
        CHAT,
        {"query": "a", "reasoning_level": "extreme"},
        [("literal_error", ["body", "reasoning_level"])],
    ),
]

NOT_JSON = [
    (b'{"id":', 6),
    (b"{'id': 1}", 1),
    (b'{"id":"a"}x', 10),
    (b"\xff\xfe", 0),
    (b'{"id":"\xff"}', 7),
    (b'{"id":NaN}', None),
    (b'{"id":"a","metadata":{"a":-Infinity}}', None),
    (b"[" * DEEP, None),
    (b"[" * DEEP + b"]" * DEEP, None),
    (b'{"id":' * DEEP + b"1" + b"}" * DEEP, None),
    (b'{"id":"a","metadata":{"a":' + b"9" * 5_000 + b"}}", None),
    (b"\x00", 0),
    (b"   ", 3),
]

STRINGS = [
    # method, path, body, status, fragment of the sentence
    ("PUT", "/bad.name", {}, 422, "must match pattern"),
    ("PUT", "/a%00b", {}, 422, "NUL"),
    ("PUT", "/" + "a" * 513, {}, 422, "at most 512"),
    ("PUT", "/%FF", {}, 422, "must match pattern"),
    ("POST", "/bad.name/peers", {"id": "ann"}, 422, "must match pattern"),
    ("PUT", "/acme/peers/a.b", {}, 422, "Peer name(s) ['a.b'] must match pattern"),
    ("PUT", "/acme/peers/a%00b", {}, 422, "NUL"),
    ("PUT", "/acme/peers/" + "a" * 513, {}, 422, "at most 512"),
    ("PUT", "/acme/peers/a.b/card", {"peer_card": []}, 422, "must match pattern"),
    ("PUT", CARD + "?target=a%00b", {"peer_card": []}, 422, "NUL"),
    ("PUT", CARD + "?target=" + "a" * 513, {"peer_card": []}, 422, "at most 512"),
    ("POST", "/bad.name/sessions", {"id": "s"}, 422, "must match pattern"),
    ("POST", SESSIONS, {"id": "s", "peers": {"a b": {}}}, 422, "['a b']"),
    ("PUT", "/acme/sessions/a.b", {}, 404, "Session not found"),
    ("PUT", "/acme/sessions/a%00b", {}, 404, "Session not found"),
    ("POST", "/acme/sessions/a.b/peers", {"ann": {}}, 404, "Session not found"),
    ("POST", "/a.b/sessions/s/peers", {"ann": {}}, 422, "must match pattern"),
    ("POST", MEMBERS, {"a\x00": {}}, 422, "NUL"),
    ("DELETE", "/acme/sessions/a%00b/peers", ["ann"], 404, "not found in workspace"),
    ("POST", "/acme/sessions/a.b/messages", said(), 422, "must match pattern"),
    ("POST", "/acme/sessions/a%00b/messages", said(), 422, "NUL"),
    ("POST", "/a.b/sessions/s/messages", said(), 422, "must match pattern"),
    ("POST", MESSAGES, said(peer_id=""), 422, "Peer name(s) [''] must match pattern"),
    ("POST", MESSAGES, said(peer_id="a" * 513), 422, "at most 512"),
    ("POST", MESSAGES, said(peer_id="a\x00"), 422, "NUL"),
    ("POST", MESSAGES, said(peer_id="scope.x"), 422, "scope.x"),
    ("POST", "/acme/peers/a.b/chat", {"query": "?"}, 422, "must match pattern"),
    ("POST", "/a.b/peers/ann/chat", {"query": "?"}, 422, "must match pattern"),
]

UNKNOWN = [
    ("GET", "", 405, "Method Not Allowed"),
    ("GET", "/acme/peers/ann", 405, "Method Not Allowed"),
    ("PATCH", "/acme/peers/ann", 405, "Method Not Allowed"),
    ("POST", "/acme/nothing", 404, "Not Found"),
    ("POST", "/a%2Fb/peers/c/d", 404, "Not Found"),
    ("POST", "//peers", 404, "Not Found"),
    ("POST", "/acme/sessions/s1/messages/upload/x", 404, "Not Found"),
]


async def unchanged(app, answer):
    """A refused request is JSON of one of two shapes and left no event."""
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"detail"}
    assert await app.store.head() == 0


async def test_what_does_not_fit_says_where(app):
    for method, path, body, items in BODIES:
        answer = await app.send(method, path, body)
        what = (method, path, str(body)[:80], answer.text[:300])
        assert answer.status_code == 422, what
        detail = answer.json()["detail"]
        assert [each["type"] for each in detail] == [kind for kind, _ in items], what
        for item, (_, loc) in zip(detail, items, strict=True):
            assert loc is None or item["loc"] == loc, what
            assert {"type", "loc", "msg", "input"} <= set(item), what
        await unchanged(app, answer)


@pytest.mark.parametrize("path", ["", MESSAGES, CHAT])
async def test_what_is_not_json_says_where_it_stops_being_so(app, path):
    for body, offset in NOT_JSON:
        answer = await app.post(path, body)
        assert answer.status_code == 422, body[:40]
        [item] = answer.json()["detail"]
        assert (item["type"], item["msg"]) == ("json_invalid", "JSON decode error")
        assert item["loc"][0] == "body"
        assert offset is None or item["loc"][1] == offset, body[:40]
        await unchanged(app, answer)


async def test_what_a_rule_forbids_is_told_in_a_sentence(app):
    for method, path, body, status, fragment in STRINGS:
        answer = await app.send(method, path, body)
        what = (method, path[:80], answer.text[:300])
        assert answer.status_code == status, what
        assert isinstance(answer.json()["detail"], str), what
        assert fragment in answer.json()["detail"], what
        await unchanged(app, answer)


async def test_unknown_paths_and_methods(app):
    for method, path, status, detail in UNKNOWN:
        answer = await app.send(method, path, {})
        assert (answer.status_code, answer.json()) == (status, {"detail": detail}), path
        assert (status == 405) == ("allow" in answer.headers)
        await unchanged(app, answer)
    answer = await app.send("GET", "/acme/peers/ann")
    assert answer.headers["allow"] == "PUT"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
async def test_json_that_is_not_declared_as_json_is_no_object(app, kind):
    answer = await app.send("POST", "", {"id": "acme"}, content_type=kind)
    [item] = answer.json()["detail"]
    assert (item["type"], item["loc"]) == ("model_attributes_type", ["body"])
    assert item["input"] == '{"id":"acme"}'
    await unchanged(app, answer)


@pytest.mark.parametrize(
    "kind",
    ["application/json; charset=utf-8", "application/vnd.x+json", "APPLICATION/JSON"],
)
async def test_json_may_be_declared_in_several_ways(app, kind):
    answer = await app.send("POST", "", {"id": "acme"}, content_type=kind)
    assert answer.status_code == 201


async def test_a_body_beyond_the_limit_is_413(app):
    answer = await app.post("", b'{"id":"' + b"a" * (32 * 2**20) + b'"}')
    assert answer.status_code == 413
    assert isinstance(answer.json()["detail"], str)
    await unchanged(app, answer)


async def test_an_answer_does_not_give_a_whole_request_back(app):
    sent = {"messages": [{"content": "x" * 25_000, "peer_id": 7}] * 100}
    answer = await app.post(MESSAGES, sent)
    assert len(answer.json()["detail"]) == 100
    flood = {f"p{n}": {"observe_me": "maybe"} for n in range(1_000)}
    answer = await app.post(MEMBERS, flood)
    assert len(answer.json()["detail"]) == 500
    answer = await app.post(MESSAGES, {"messages": ["x" * 10_000] * 101})
    assert len(answer.content) < 10_000
    await unchanged(app, answer)


async def test_one_bad_message_keeps_the_whole_batch_out(app):
    batch = said()["messages"] * 5 + said(peer_id="no name")["messages"]
    answer = await app.post(MESSAGES, {"messages": batch})
    assert answer.status_code == 422
    await unchanged(app, answer)


async def test_metadata_at_its_limits_is_accepted(app):
    keys = {str(n): n for n in range(100)}
    assert (await app.put("/acme", {"metadata": keys})).status_code == 200
    nested = objects(5)
    assert (await app.put("/acme", {"metadata": nested})).status_code == 200
    in_arrays = {"a": [objects(9)]}
    answer = await app.put("/acme", {"metadata": in_arrays})
    assert answer.json()["metadata"] == in_arrays
    assert msgspec.json.decode(answer.content)["id"] == "acme"
