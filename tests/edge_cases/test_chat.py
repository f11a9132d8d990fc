"""Chat on the offline engine, as any client sees it (HC 8: X3, X8, X57-X60, X63).

The offline engine never answers nothing: X58 is in tests/e2e/test_chat.py.
"""

import json
import time

import jsonschema
import pytest

FORM = {
    "type": "object",
    "properties": {
        "answer": {"type": "string"},
        "sure": {"type": "boolean"},
        "drinks": {"type": "array", "items": {"type": "string"}},
        "since": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
    "required": ["answer", "sure", "drinks", "since"],
}
BAD_FORM = {"type": "object", "properties": {"a": {}}}


@pytest.fixture
def chat(api, at):
    """Ask as a peer; the answer as it came."""

    def post(peer="ann", params=None, **body):
        body = {"query": "What does she drink?", **body}
        path = f"{at}/peers/{peer}/chat"
        return api.post(path, json=body, params=params)

    return post


@pytest.fixture
def told(api, at):
    """Ann said what she drinks; it was concluded from that, and has its vectors."""
    said = {"content": "I drink green tea every morning.", "peer_id": "ann"}
    made = api.post(f"{at}/sessions/s1/messages", json={"messages": [said]})
    assert made.status_code == 201
    pair = {"observer_id": "ann", "observed_id": "ann"}
    asked = {"query": "tea", "top_k": 1, "filters": pair}
    deadline = time.monotonic() + 90
    while True:
        near = api.post(f"{at}/conclusions/query", json=asked).json()
        if near:
            return made.json()[0], near[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def events(answer):
    """The events of a stream, each checked for its frame."""
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    frames = answer.content.split(b"\n\n")
    assert frames.pop() == b""
    for each in frames:
        assert each.startswith(b"data: ")
        assert b"\n" not in each
        assert each.isascii()
    return [json.loads(each[6:]) for each in frames]


def test_x3_unknown_query_parameters_are_ignored(chat):
    answer = chat(params={"session_id": "nope", "target": "nobody"})
    assert answer.status_code == 200


def test_x8_an_over_long_query_is_refused_with_its_limit(chat):
    answer = chat(query="x" * 10_001)
    assert answer.status_code == 422
    [item] = answer.json()["detail"]
    assert (item["type"], item["loc"]) == ("string_too_long", ["body", "query"])
    assert item["msg"] == "String should have at most 10000 characters"
    assert chat(query="x" * 10_000).status_code == 200


def test_x57_chat_creates_the_peer_and_the_workspace(api, at, chat):
    assert chat("newcomer").status_code == 200
    peers = api.post(f"{at}/peers/list", json={}).json()["items"]
    assert [each["id"] for each in peers] == ["newcomer"]


def test_nothing_known_is_said_in_words(chat):
    assert chat().json()["content"]


def test_x59_an_invalid_form_is_refused_before_anything_also_when_streamed(
    api, at, chat
):
    for stream in (False, True):
        answer = chat("early", response_format=BAD_FORM, stream=stream)
        assert answer.status_code == 422
        assert answer.json() == {
            "detail": "Invalid response_format: schema has no recognizable type"
            " at properties.a"
        }
    assert api.post(f"{at}/peers/list", json={}).json()["items"] == []


def test_x60_a_stream_is_the_answer_in_order_and_then_done(chat, told):
    *deltas, done = events(chat(stream=True))
    assert done == {"done": True}
    assert all(each["done"] is False for each in deltas)
    pieces = [each["delta"]["content"] for each in deltas]
    assert "".join(pieces) == chat().json()["content"]
    assert "green tea" in "".join(pieces)
    assert told


@pytest.mark.parametrize("session", ["*", "", " ", "a.b", "a/b", "a%", "é"])
def test_x63_what_is_no_session_id_is_refused_in_an_allowlist(chat, session):
    answer = chat(filters={"session_id": [session]})
    assert answer.status_code == 422
    assert "Invalid session id in filters.session_id" in answer.json()["detail"]


def test_x63_a_thousand_sessions_may_be_listed_and_the_asked_one_among_them(chat):
    thousand = [f"s{n}" for n in range(1_000)]
    assert chat(filters={"session_id": [*thousand, "s0"]}).status_code == 200
    answer = chat(filters={"session_id": [*thousand, "one-more"]})
    assert answer.json() == {
        "detail": "filters.session_id supports at most 1000 sessions per request"
    }
    answer = chat(session_id="s2", filters={"session_id": ["s1"]})
    assert answer.json() == {
        "detail": "session_id must be included in filters.session_id"
    }


def test_an_allowlist_confines_and_an_empty_one_recalls_nothing(chat, told):
    assert "green tea" in chat(filters={"session_id": "s1"}).json()["content"]
    for listed in ([], ["s2"]):
        answer = chat(filters={"session_id": listed}).json()
        assert "green tea" not in answer["content"]
    assert told


def test_a_form_is_filled_with_what_is_known_and_nothing_else(chat, told):
    answer = json.loads(chat(response_format=FORM).json()["content"])
    jsonschema.validate(answer, FORM)
    assert "green tea" in answer["answer"]
    assert (answer["sure"], answer["since"]) == (False, None)
    streamed = events(chat(response_format=FORM, stream=True))
    text = "".join(each["delta"]["content"] for each in streamed[:-1])
    assert json.loads(text) == answer
    unknown = chat("stranger", response_format=FORM).json()["content"]
    assert json.loads(unknown) == {
        "answer": "",
        "sure": False,
        "drinks": [],
        "since": None,
    }
    assert told


@pytest.mark.parametrize("path", ["/peers/ann/chat", "/chat"])
def test_evidence_names_conclusions_and_messages(api, at, told, path):
    message, conclusion = told
    asked = {"query": "What does she drink?", "include_evidence": True}
    evidence = api.post(at + path, json=asked).json()["evidence"]
    [cited] = evidence["conclusions"]
    assert cited == {
        "id": conclusion["id"],
        "level": "explicit",
        "content": conclusion["content"],
        "created_at": conclusion["created_at"],
        "session_id": "s1",
        "observer_id": "ann",
        "observed_id": "ann",
        "source_ids": [],
    }
    [said] = evidence["messages"]
    assert said == {
        "id": message["id"],
        "session_id": "s1",
        "peer_id": "ann",
        "created_at": message["created_at"],
    }
    assert evidence["tool_calls"] == []
    done = events(api.post(at + path, json=asked | {"stream": True}))[-1]
    assert done["done"] is True
    assert done["evidence"]["conclusions"] == [cited]


def test_a_scope_answers_from_its_sessions_alone(api, at, told):
    assert told
    for name in ("work", "empty"):
        assert api.post(f"{at}/scopes", json={"id": name}).status_code == 201
    added = api.post(f"{at}/scopes/work/sessions", json={"session_ids": ["s1"]})
    assert added.status_code in {200, 201, 204}
    for path in ("/peers/ann/chat", "/chat"):
        for scope, known in (
            ("work", True),
            ("empty", False),
            (["work", "empty"], True),
            (["empty"], False),
        ):
            asked = {"query": "What does she drink?", "scope": scope}
            content = api.post(at + path, json=asked).json()["content"]
            assert ("green tea" in content) is known, (path, scope)


def test_a_deleted_session_cannot_be_asked_in(api, at, chat, told):
    assert told
    assert chat(session_id="s1").status_code == 200
    assert api.delete(f"{at}/sessions/s1").status_code == 202
    for stream in (False, True):
        assert chat(session_id="s1", stream=stream).status_code == 404


def test_a_peers_key_asks_only_where_it_takes_part(guarded, bearer, at, workspace):
    admin = bearer(ad=True)
    peers = {"ann": {}, "bob": {}}
    for name, members in (("in", peers), ("out", {"bob": {}})):
        made = {"id": name, "peers": members}
        guarded.post(f"{at}/sessions", json=made, headers=admin).raise_for_status()

    def ask(**body):
        return guarded.post(
            f"{at}/peers/ann/chat",
            json={"query": "What?", **body},
            headers=bearer(w=workspace, p="ann"),
        ).status_code

    assert ask() == 200
    assert ask(session_id="in") == 200
    assert ask(session_id="out") == 401
    assert ask(filters={"session_id": []}) == 200
    assert ask(filters={"session_id": ["in"]}) == 200
    assert ask(filters={"session_id": ["in", "out"]}) == 401
    assert ask(scope="work") == 401
    assert ask(scope="work", filters={}) == 422
    everything = guarded.post(
        f"{at}/chat", json={"query": "What?"}, headers=bearer(w=workspace, p="ann")
    )
    assert everything.status_code == 401
