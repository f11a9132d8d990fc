"""HC 6.6: the sessions a recall may be confined to."""

import re

import pytest

UNSUPPORTED = (
    "Unsupported filter key(s) for this endpoint: ['peer_id']. Only 'session_id' is"
    " supported."
)
SHAPE = (
    'filters.session_id must be a session id, a list of session ids, or {"in": [...]}'
)


@pytest.fixture
def told(api, at):
    """Alice likes something in each of two sessions, and something in none."""
    api.post(f"{at}/peers", json={"id": "alice"})
    for session, thing in (("s", "trains"), ("t", "bees"), (None, "salt")):
        said = {
            "content": f"alice likes {thing}",
            "observer_id": "alice",
            "observed_id": "alice",
        }
        if session is not None:
            api.post(f"{at}/sessions", json={"id": session})
            said["session_id"] = session
        answer = api.post(f"{at}/conclusions", json={"conclusions": [said]})
        assert answer.status_code == 201
    return at


@pytest.fixture
def ask(api, told):
    def representation(**body):
        return api.post(f"{told}/peers/alice/representation", json=body)

    return representation


def liked(answer):
    assert answer.status_code == 200, answer.text
    return set(re.findall(r"alice likes (\w+)", answer.json()["representation"]))


def test_x56_an_allowlist_leaves_out_other_sessions_and_none(ask, api, told):
    assert liked(ask()) == {"trains", "bees", "salt"}
    assert liked(ask(filters={"session_id": "s"})) == {"trains"}
    assert liked(ask(filters={"session_id": ["s"]})) == {"trains"}
    assert liked(ask(filters={"session_id": {"in": ["s", "t", "s"]}})) == {
        "trains",
        "bees",
    }
    assert liked(ask(filters={"session_id": ["unknown"]})) == set()
    assert liked(ask(filters={"session_id": []})) == set()
    assert liked(ask(session_id="t")) == {"bees"}
    query = {"peer_target": "alice", "sessions": ["s", "t"]}
    context = api.get(f"{told}/sessions/s/context", params=query).json()
    assert set(re.findall(r"likes (\w+)", context["peer_representation"])) == {
        "trains",
        "bees",
    }
    assert context["peer_card"] is None


@pytest.mark.parametrize("wrong", ["*", "", " ", "a b", "a.b", "a/b", "a%b", "s\n"])
def test_x63_what_is_no_session_id_is_422(ask, api, told, wrong):
    expected = (
        f"Invalid session id in filters.session_id: {wrong!r}."
        " Session ids match ^[a-zA-Z0-9_-]+$"
    )
    for shape in (wrong, ["s", wrong], {"in": [wrong]}):
        answer = ask(filters={"session_id": shape})
        assert answer.status_code == 422
        assert answer.json()["detail"] == expected
    query = {"peer_target": "alice", "sessions": ["s", wrong]}
    answer = api.get(f"{told}/sessions/s/context", params=query)
    assert (answer.status_code, answer.json()["detail"]) == (422, expected)


def test_x63_there_may_be_a_thousand(ask):
    many = [f"s{number}" for number in range(1000)]
    assert liked(ask(filters={"session_id": [*many, *many]})) == set()
    answer = ask(filters={"session_id": [*many, "one-more"]})
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "filters.session_id supports at most 1000 sessions per request",
    )


def test_x63_the_session_of_the_request_must_be_among_them(ask, api, told):
    answer = ask(session_id="s", filters={"session_id": ["t"]})
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "session_id must be included in filters.session_id",
    )
    assert liked(ask(session_id="s", filters={"session_id": ["t", "s"]})) == {"trains"}
    query = {"peer_target": "alice", "sessions": ["t"]}
    answer = api.get(f"{told}/sessions/s/context", params=query)
    assert answer.json()["detail"] == "session_id must be included in sessions"


def test_x64_an_empty_filter_is_422(ask):
    answer = ask(filters={})
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "filters must contain 'session_id'",
    )


def test_x64_only_sessions_can_be_listed(ask):
    answer = ask(filters={"peer_id": "alice"})
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        UNSUPPORTED,
    )
    for shape in (5, None, {"gte": "s"}, {"in": "s"}, [1], {}):
        answer = ask(filters={"session_id": shape})
        assert (answer.status_code, answer.json()["detail"]) == (
            422,
            SHAPE,
        )


def test_chat_reads_the_same_lists(api, told):
    def asked(**body):
        return api.post(f"{told}/peers/alice/chat", json={"query": "?", **body})

    for filters in ({}, {"peer_id": "a"}, {"session_id": "*"}, {"session_id": 5}):
        assert asked(filters=filters).status_code == 422
    answer = asked(filters={"session_id": ["t"]}, session_id="s")
    assert answer.json()["detail"] == (
        "session_id must be included in filters.session_id"
    )
    for listed in ("s", ["s", "t"], {"in": ["unknown"]}, []):
        assert asked(filters={"session_id": listed}).status_code == 200
