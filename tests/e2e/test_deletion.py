"""Deletion on a real server: the matrix of HC E21, before and after the purge."""

import time

import httpx
import pytest

from tests.support.remains import found_in
from tests.support.server import running
from tests.support.stopped import rebuilt_equals_live

GRACE = 15
"""Seconds in which all is asked that holds before it is over, on a slow machine too."""
MARKER = "xyzzyquux"
PURGED_WITHIN = 60.0


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("deletion") / "data"


@pytest.fixture(scope="module")
def server(data):
    with running(data, {"DELETION_GRACE_SECONDS": str(GRACE)}) as server:
        yield server
        if server.process is not None and server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="module")
def api(server):
    with httpx.Client(base_url=server.url, timeout=120) as client:
        yield client


def tell(api, at, session, *texts):
    """Say these in a session of alice and bob; return the messages."""
    api.post(
        f"{at}/sessions",
        json={"id": session, "peers": {"alice": {}, "bob": {"observe_others": True}}},
    )
    said = [{"peer_id": "alice", "content": text} for text in texts]
    answer = api.post(f"{at}/sessions/{session}/messages", json={"messages": said})
    assert answer.status_code == 201
    return answer.json()


def until(look, expected):
    """Look until it is as expected, in bounds; return the last look."""
    deadline = time.monotonic() + PURGED_WITHIN
    while True:
        seen = look()
        if expected(seen):
            return seen
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)


def reborn(api, at, session):
    """Open the session anew as soon as its id is free."""
    answer = until(
        lambda: api.post(f"{at}/sessions", json={"id": session}),
        lambda seen: seen.status_code != 404,
    )
    assert answer.status_code == 201
    return answer.json()


def uid_of(api, at, session):
    listed = api.post(f"{at}/sessions/list", json={"filters": {"id": session}}).json()
    return listed["items"][0]["uid"]


def concluded(api, at):
    answer = api.post(f"{at}/conclusions/list", json={})
    return [each["content"] for each in answer.json()["items"]]


def reading(api, at, message):
    """Every read that still works on a deleted session, with its status."""
    s = f"{at}/sessions/s"
    return {
        "list": api.post(f"{s}/messages/list", json={}),
        "get": api.get(f"{s}/messages/{message}"),
        "put": api.put(f"{s}/messages/{message}", json={"metadata": {"a": 1}}),
        "context": api.get(f"{s}/context"),
        "summaries": api.get(f"{s}/summaries"),
        "search": api.post(f"{s}/search", json={"query": MARKER}),
        "peers": api.get(f"{s}/peers"),
        "config": api.get(f"{s}/peers/bob/config"),
        "representation": api.post(
            f"{at}/peers/alice/representation", json={"session_id": "s"}
        ),
        "sessions": api.post(f"{at}/peers/alice/sessions", json={}),
    }


def remembering(api, at, message, moment):
    """The reads of a moment at which the session was there."""
    s, when = f"{at}/sessions/s", {"as_of": moment}
    search, asked = {"query": MARKER}, {"query": "What does alice love?"}
    return [
        api.post(f"{s}/messages/list", json={}, params=when),
        api.get(f"{s}/messages/{message}", params=when),
        api.get(f"{s}/context", params=when),
        api.get(f"{s}/context", params={**when, "peer_target": "alice"}),
        api.get(f"{at}/peers/alice/context", params=when),
        api.post(f"{at}/search", json=search, params=when),
        api.post(f"{at}/conclusions/list", json={}, params=when),
        api.post(f"{at}/peers/alice/representation", json={}, params=when),
        api.post(f"{at}/peers/alice/chat", json=asked, params=when),
        api.post(f"{at}/sessions/list", json={"filters": {"id": "s"}}, params=when),
    ]


def writing(api, at):
    """Every write that a deleted session refuses."""
    s = f"{at}/sessions/s"
    said = {"messages": [{"peer_id": "alice", "content": "more"}]}
    conclusion = {
        "content": "Alice is here",
        "observer_id": "alice",
        "observed_id": "alice",
        "session_id": "s",
    }
    api.post(f"{at}/scopes", json={"name": "work"})
    return {
        "post": api.post(f"{at}/sessions", json={"id": "s"}),
        "put": api.put(s, json={"metadata": {}}),
        "delete": api.delete(s),
        "clone": api.post(f"{s}/clone"),
        "add": api.post(f"{s}/peers", json={"carol": {}}),
        "set": api.put(f"{s}/peers", json={"alice": {}}),
        "remove": api.request("DELETE", f"{s}/peers", json=["bob"]),
        "config": api.put(f"{s}/peers/bob/config", json={"observe_me": False}),
        "say": api.post(f"{s}/messages", json=said),
        "upload": api.post(
            f"{s}/messages/upload",
            data={"peer_id": "alice"},
            files={"file": ("a.txt", b"some text", "text/plain")},
        ),
        "conclude": api.post(f"{at}/conclusions", json={"conclusions": [conclusion]}),
        "chat": api.post(
            f"{at}/peers/alice/chat", json={"query": "Who?", "session_id": "s"}
        ),
        "scope": api.post(f"{at}/scopes/work/sessions", json={"session_ids": ["s"]}),
    }


def test_a_deleted_session_reads_on_and_takes_nothing_until_its_id_is_free(api):
    at = "/v3/workspaces/matrix"
    message = tell(api, at, "s", f"I love {MARKER}.", "I row.")[0]["id"]
    tell(api, at, "other", "I love tea.")
    until(lambda: concluded(api, at), lambda seen: len(seen) > 2)
    uid = uid_of(api, at, "s")
    listed = api.post(f"{at}/conclusions/list", json={})
    then = listed.headers["x-position"]
    assert api.delete(f"{at}/sessions/s").status_code == 202
    read = reading(api, at, message)
    assert {name: each.status_code for name, each in read.items()} == dict.fromkeys(
        read, 200
    )
    assert MARKER in read["list"].text
    assert MARKER in read["search"].text
    past = remembering(api, at, message, then)
    assert all(each.status_code == 200 for each in past)
    assert sum(MARKER in each.text for each in past) == len(past) - 1
    assert [each["is_active"] for each in past[-1].json()["items"]] == [True]
    active = {s["id"]: s["is_active"] for s in read["sessions"].json()["items"]}
    assert active == {"s": False, "other": True}
    refused = {name: each.status_code for name, each in writing(api, at).items()}
    assert refused == dict.fromkeys(refused, 404)

    again = reborn(api, at, "s")
    assert again["uid"] != uid
    after = reading(api, at, message)
    assert after["list"].json()["total"] == 0
    assert after["get"].status_code == 404
    assert after["put"].status_code == 404
    assert after["search"].json() == []
    assert after["context"].json()["messages"] == []
    assert after["peers"].json()["total"] == 0
    assert MARKER not in str(concluded(api, at))
    assert "tea" in str(concluded(api, at))
    assert MARKER not in api.post(f"{at}/search", json={"query": MARKER}).text
    past = remembering(api, at, message, then)
    assert [each.status_code for each in past[:2]] == [200, 404]
    assert all(each.status_code == 200 for each in past[2:])
    assert not any(MARKER in each.text for each in past)
    assert past[-1].json()["total"] == 0
    fresh = tell(api, at, "s", "I love coffee.")
    assert [each["content"] for each in fresh] == ["I love coffee."]
    until(lambda: concluded(api, at), lambda seen: "coffee" in str(seen))


def test_a_workspace_goes_with_all_that_is_in_it_and_can_be_made_anew(api):
    at = "/v3/workspaces/gone"
    tell(api, at, "s", f"I love {MARKER}.")
    api.put(f"{at}/peers/alice/card", json={"peer_card": [MARKER]})
    api.post(f"{at}/peers/alice/chat", json={"query": f"What about {MARKER}?"})
    first = api.post("/v3/workspaces", json={"id": "gone"}).json()
    assert api.delete(f"{at}/sessions/s").status_code == 202
    assert api.delete(at).status_code == 202
    tell(api, at, "in-the-gap", f"I hate {MARKER}.")
    assert api.delete(at).status_code == 202

    def made():
        return api.post("/v3/workspaces", json={"id": "gone"})

    answer = until(made, lambda seen: seen.status_code == 201)
    assert answer.json()["uid"] != first["uid"]
    assert api.post(f"{at}/sessions/list", json={}).json()["total"] == 0
    assert api.post(f"{at}/peers/list", json={}).json()["total"] == 0
    assert concluded(api, at) == []
    assert api.post(f"{at}/search", json={"query": MARKER}).json() == []
    tell(api, at, "s", "I love coffee.")
    until(lambda: concluded(api, at), lambda seen: "coffee" in str(seen))
    assert api.get(f"{at}/peers/alice/card").json()["peer_card"] is None


def test_what_was_erased_is_nowhere_and_views_are_as_if_rebuilt(server, data):
    assert server.stop() == 0
    rebuilt_equals_live(data)
    assert found_in(data, MARKER) == []
