"""Sessions and who is in them (HC 8.5)."""

import pytest

OBSERVER = {"observe_others": True}


def members(api, at, session="s"):
    return [p["id"] for p in api.get(f"{at}/sessions/{session}/peers").json()["items"]]


def test_x65_a_session_without_peers_is_legal(api, at):
    answer = api.post(f"{at}/sessions", json={"id": "s"})
    assert (answer.status_code, answer.json()["metadata"]) == (201, {})
    assert members(api, at) == []


def test_x66_eleven_observers_are_400_and_nothing_is_created(api, at):
    peers = {f"p{n}": OBSERVER for n in range(11)}
    answer = api.post(f"{at}/sessions", json={"id": "s", "peers": peers})
    assert answer.status_code == 400
    assert "11 observers" in answer.json()["detail"]
    assert "Maximum allowed is 10 observers" in answer.json()["detail"]
    assert api.post(f"{at}/sessions/list").json()["total"] == 0
    assert api.post(f"{at}/sessions", json={"id": "s"}).status_code == 201


def test_x67_many_peers_and_exactly_ten_observers_are_fine(api, at):
    ten = {f"p{n}": OBSERVER for n in range(10)}
    many = {f"q{n}": {} for n in range(30)}
    answer = api.post(f"{at}/sessions", json={"id": "s", "peers": ten | many})
    assert answer.status_code == 201
    assert len(members(api, at)) == 40


def test_x68_the_limit_holds_for_set_peers_and_for_a_config(api, at):
    ten = {f"p{n}": OBSERVER for n in range(10)}
    api.post(f"{at}/sessions", json={"id": "s", "peers": ten | {"q": {}}})
    eleven = {f"r{n}": OBSERVER for n in range(11)}
    assert api.put(f"{at}/sessions/s/peers", json=eleven).status_code == 400
    assert set(members(api, at)) == {*ten, "q"}
    path = f"{at}/sessions/s/peers/q/config"
    answer = api.put(path, json=OBSERVER)
    assert answer.status_code == 400
    assert "11 observers" in answer.json()["detail"]
    assert api.get(path).json()["observe_others"] is None


def test_x69_one_who_observes_already_never_trips_and_one_who_stops_frees(api, at):
    ten = {f"p{n}": OBSERVER for n in range(10)}
    api.post(f"{at}/sessions", json={"id": "s", "peers": ten | {"q": {}}})
    path = f"{at}/sessions/s/peers"
    sent = {"observe_me": False, "observe_others": True}
    assert api.put(f"{path}/p0/config", json=sent).status_code == 204
    assert api.post(path, json={"p1": OBSERVER}).status_code == 200
    freed = api.put(f"{path}/p0/config", json={"observe_others": False})
    assert freed.status_code == 204
    assert api.put(f"{path}/q/config", json=OBSERVER).status_code == 204


def test_x70_an_empty_object_clears_metadata(api, at):
    api.post(f"{at}/sessions", json={"id": "s", "metadata": {"a": 1}})
    assert api.put(f"{at}/sessions/s", json={"metadata": {}}).json()["metadata"] == {}
    listed = api.post(f"{at}/sessions/list").json()["items"]
    assert listed[0]["metadata"] == {}


def test_x77_set_peers_removes_those_not_named_and_delete_takes_an_array(api, at):
    path = f"{at}/sessions/s/peers"
    api.post(path, json={"a": {"observe_me": False}, "b": {}, "c": {}})
    answer = api.put(path, json={"a": {"observe_others": True}, "d": {}})
    assert (answer.status_code, answer.json()["id"]) == (200, "s")
    assert set(members(api, at)) == {"a", "d"}
    config = api.get(f"{path}/a/config").json()
    assert config == {"observe_me": None, "observe_others": True}
    gone = api.request("DELETE", path, json=["d", "nobody"])
    assert (gone.status_code, gone.json()["id"]) == (200, "s")
    assert members(api, at) == ["a"]


def test_setting_peers_needs_the_session(api, at, workspace):
    answer = api.put(f"{at}/sessions/s/peers", json={"a": {}})
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        f"Session s not found in workspace {workspace}",
    )
    removed = api.request("DELETE", f"{at}/sessions/s/peers", json=["a"])
    assert (removed.status_code, removed.json()) == (404, answer.json())


def test_x78_an_empty_map_empties_the_membership_and_keeps_scopes(api, at):
    sent = {"id": "s", "peers": {"a": {}}, "scopes": ["team"]}
    api.post(f"{at}/sessions", json=sent)
    assert api.put(f"{at}/sessions/s/peers", json={}).status_code == 200
    assert members(api, at) == []
    held = api.post(f"{at}/scopes/team/sessions/list").json()["items"]
    assert [each["id"] for each in held] == ["s"]


def test_x79_a_config_is_what_was_set_and_a_put_reads_at_once(api, at):
    flags = {"observe_me": False, "observe_others": True}
    api.post(f"{at}/sessions", json={"id": "s", "peers": {"a": flags}})
    path = f"{at}/sessions/s/peers/a/config"
    assert api.get(path).json() == flags
    answer = api.put(path, json={"observe_me": True})
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(path).json() == {"observe_me": True, "observe_others": True}


def test_a_config_tells_what_is_missing(api, at, workspace):
    api.post(f"{at}/sessions", json={"id": "s"})
    api.post(f"{at}/peers", json={"id": "a"})

    def told(peer, session="s"):
        answer = api.get(f"{at}/sessions/{session}/peers/{peer}/config")
        assert answer.status_code == 404
        return answer.json()["detail"]

    assert told("nobody") == f"Peer nobody not found in workspace {workspace}"
    assert told("a") == (
        f"Session peer a not found in session s in workspace {workspace}"
    )
    path = f"{at}/sessions/s/peers/nobody/config"
    assert api.put(path, json={}).json()["detail"] == told("nobody")
    missing = api.put(f"{at}/sessions/none/peers/a/config", json={})
    assert missing.json()["detail"] == (
        f"Session none not found in workspace {workspace}"
    )
    assert api.put(f"{at}/sessions/s/peers/a/config", json={}).status_code == 204
    assert members(api, at) == ["a"]


def test_x86_is_active_is_true_on_fresh_and_fetched_sessions(api, at):
    assert api.post(f"{at}/sessions", json={"id": "s"}).json()["is_active"] is True
    assert api.post(f"{at}/sessions", json={"id": "s"}).json()["is_active"] is True
    listed = api.post(f"{at}/sessions/list").json()["items"]
    assert [each["is_active"] for each in listed] == [True]


def test_x87_who_left_is_no_member_but_has_the_session_in_its_list(api, at):
    path = f"{at}/sessions/s/peers"
    api.post(path, json={"a": {"observe_me": False}, "b": {}})
    api.request("DELETE", path, json=["a"])
    assert members(api, at) == ["b"]
    own = api.post(f"{at}/peers/a/sessions").json()["items"]
    assert [each["id"] for each in own] == ["s"]
    assert api.get(f"{path}/a/config").json()["observe_me"] is False


def test_x88_only_one_who_left_gets_new_flags_when_added(api, at):
    path = f"{at}/sessions/s/peers"
    api.post(path, json={"a": {"observe_me": False}})
    api.post(path, json={"a": {"observe_me": True}})
    assert api.get(f"{path}/a/config").json()["observe_me"] is False
    api.request("DELETE", path, json=["a"])
    api.post(path, json={"a": {"observe_me": True}})
    assert api.get(f"{path}/a/config").json()["observe_me"] is True


@pytest.mark.parametrize("how", ["added", "speaking"])
def test_whoever_joins_anew_sees_nothing_from_before(api, at, how):
    """HC 3.8: every upsert of a membership moves the window of its perspective."""
    path = f"{at}/sessions/s"
    api.post(f"{path}/peers", json={"a": {}, "b": {}})

    def say(peer, content):
        sent = {"messages": [{"peer_id": peer, "content": content}]}
        assert api.post(f"{path}/messages", json=sent).status_code == 201

    def seen():
        body = {"query": "tea", "filters": {"peer_perspective": "b"}}
        found = api.post(f"{at}/search", json=body).json()
        return {each["content"] for each in found}

    say("a", "tea first")
    assert seen() == {"tea first"}
    if how == "added":
        api.post(f"{path}/peers", json={"b": {}})
        own = set()
    else:
        say("b", "tea of mine")
        own = {"tea of mine"}
    assert seen() == own
    say("a", "tea later")
    assert seen() == own | {"tea later"}


def test_uid_is_on_every_answer_and_never_changes(api, at, workspace):
    made = api.post("/v3/workspaces", json={"id": workspace}).json()
    assert made["uid"] == api.put(at, json={}).json()["uid"]
    for kind in ("peers", "sessions"):
        made = api.post(f"{at}/{kind}", json={"id": "x"}).json()
        again = api.post(f"{at}/{kind}", json={"id": "x"}).json()
        put = api.put(f"{at}/{kind}/x", json={}).json()
        [listed] = api.post(f"{at}/{kind}/list").json()["items"]
        uids = {each["uid"] for each in (made, again, put, listed)}
        assert len(uids) == 1
        assert len(uids.pop()) == 21
