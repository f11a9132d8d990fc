"""A real server is asked of the past, by positions and by times."""

import pytest


def position(answer):
    assert answer.is_success, answer.text
    return int(answer.headers["x-position"])


def told(api, at, content):
    """Say it in s; return where it can be read, and when it was concluded."""
    said = {"messages": [{"peer_id": "alice", "content": content}]}
    assert api.post(f"{at}/sessions/s/messages", json=said).status_code == 201
    conclusion = {"content": content, "observer_id": "alice", "observed_id": "alice"}
    made = api.post(f"{at}/conclusions", json={"conclusions": [conclusion]})
    return position(made), made.json()[0]["created_at"]


@pytest.fixture
def moments(api, at):
    """Where and when alice had told of tea only."""
    api.post(f"{at}/peers", json={"id": "alice", "configuration": {"n": 1}})
    api.post(f"{at}/sessions", json={"id": "s", "peers": {"alice": {}}})
    api.put(f"{at}/peers/alice/card", json={"peer_card": ["Tea"]})
    moments = told(api, at, "I like green tea.")
    api.put(f"{at}/peers/alice", json={"configuration": {"n": 2}})
    api.put(f"{at}/peers/alice/card", json={"peer_card": ["Rain"]})
    told(api, at, "I like rain on tin roofs.")
    return moments


@pytest.mark.parametrize("which", [0, 1], ids=["position", "time"])
def test_memory_is_read_as_it_stood(api, at, moments, which):
    when = {"as_of": moments[which]}
    alice, s = f"{at}/peers/alice", f"{at}/sessions/s"

    def both(method, path, show, **more):
        now = api.request(method, path, **more)
        then = api.request(method, path, params=when, **more)
        assert now.status_code == then.status_code == 200, then.text
        assert position(then) == moments[0] < position(now)
        return show(then.json()), show(now.json())

    def likes(text):
        return ("tea" in str(text).lower(), "rain" in str(text).lower())

    for method, path, more in (
        ("GET", f"{s}/context", {}),
        ("GET", f"{alice}/context", {}),
        ("POST", f"{alice}/representation", {"json": {}}),
        ("POST", f"{at}/conclusions/list", {"json": {}}),
        ("POST", f"{s}/search", {"json": {"query": "What do I like?"}}),
        ("POST", f"{s}/messages/list", {"json": {}}),
    ):
        then, now = both(method, path, likes, **more)
        assert then == (True, False), path
        assert now[1], path
    assert both("GET", f"{alice}/card", likes) == ((True, False), (False, True))
    configured = both(
        "POST",
        f"{at}/peers/list",
        lambda page: page["items"][0]["configuration"],
        json={"filters": {"id": "alice"}},
    )
    assert configured == ({"n": 1}, {"n": 2})


@pytest.mark.parametrize("stream", [False, True])
def test_memory_is_asked_as_it_stood(api, at, moments, stream):
    sent = {"query": "What does she like, tea or rain?", "stream": stream}
    for path in (f"{at}/peers/alice/chat", f"{at}/chat"):
        for moment in moments:
            then = api.post(path, json=sent, params={"as_of": moment})
            assert then.status_code == 200
            assert "tea" in then.text
            assert "roofs" not in then.text
        assert "roofs" in api.post(path, json=sent).text
        early = api.post(path, json=sent, params={"as_of": 0})
        assert "tea" not in early.text


def test_the_log_has_no_moment_beyond_its_end(api, at, moments):
    assert moments
    beyond = {"as_of": 2**63 - 2}
    for answer in (
        api.post(f"{at}/peers/alice/representation", json={}, params=beyond),
        api.post(f"{at}/peers/alice/chat", json={"query": "Tea?"}, params=beyond),
    ):
        assert answer.status_code == 422
        assert "is beyond the log, which ends at" in answer.json()["detail"]
    to_come = {"as_of": "2999-01-01T00:00:00+02:00"}
    answer = api.get(f"{at}/peers/alice/card", params=to_come)
    assert answer.json() == {"peer_card": ["Rain"]}


def test_who_may_read_is_decided_now(guarded, at, bearer, workspace):
    """Whoever has left a session is shown nothing of the time they were in it."""
    whole, alice = bearer(w=workspace), bearer(w=workspace, p="alice")
    made = {"id": "s", "peers": {"alice": {}, "bob": {}}}
    guarded.post(f"{at}/sessions", json=made, headers=whole)
    said = {"messages": [{"peer_id": "bob", "content": "I like tea."}]}
    there = guarded.post(f"{at}/sessions/s/messages", json=said, headers=whole)
    when = {"as_of": position(there)}
    path = f"{at}/sessions/s/messages/list"
    shown = guarded.post(path, json={}, params=when, headers=alice)
    assert (shown.status_code, shown.json()["total"]) == (200, 1)
    guarded.request("DELETE", f"{at}/sessions/s/peers", json=["alice"], headers=whole)
    assert guarded.post(path, json={}, params=when, headers=alice).status_code == 401


def test_a_write_never_answers_of_the_past(api, at, moments):
    """Also not one that gets what is there, which is how the SDKs read settings."""
    said = [{"peer_id": "alice", "content": "hi"}]
    doors = [
        ("POST", f"{at}/peers", {"id": "alice"}),
        ("POST", f"{at}/sessions", {"id": "s"}),
        ("POST", "/v3/workspaces", {"id": at.rpartition("/")[2]}),
        ("PUT", f"{at}/peers/alice", {}),
        ("PUT", f"{at}/peers/alice/card", {"peer_card": []}),
        ("POST", f"{at}/sessions/s/messages", {"messages": said}),
        ("POST", f"{at}/sessions/s/clone", None),
        ("DELETE", f"{at}/sessions/s", None),
    ]
    for method, path, body in doors:
        answer = api.request(method, path, json=body, params={"as_of": moments[0]})
        assert answer.status_code == 422, path
        assert answer.json()["detail"].startswith("as_of is taken by reads and by")
    for spelled in ("%61s_of=3", "as%5Fof=3", "as_of=", "as_of"):
        answer = api.put(f"{at}/peers/alice/card?{spelled}", json={"peer_card": []})
        assert answer.status_code == 422, spelled
    assert api.get(f"{at}/peers/alice/card").json() == {"peer_card": ["Rain"]}
