"""Sessions and members over HTTP (HC E19, E20, E23, E25; X6, X65-X70, X86-X88)."""

import asyncio

from domain.names import encode_id


async def test_x65_x86_a_session_without_peers_is_active_and_bare(app):
    answer = await app.post("/acme/sessions", {"id": "s1"})
    assert answer.status_code == 201
    assert answer.json() == {
        "id": "s1",
        "is_active": True,
        "workspace_id": "acme",
        "metadata": {},
        "configuration": {},
        "created_at": "2026-11-22T12:00:00Z",
        "uid": encode_id(1),
    }
    again = await app.post("/acme/sessions", {"id": "s1"})
    assert (again.status_code, again.json()) == (200, answer.json())
    assert await app.recorded() == ["workspace-created", "session-created"]


async def test_everything_a_session_names_is_made_in_one_append(app):
    sent = {
        "id": "s1",
        "metadata": {"a": 1},
        "configuration": {"summary": {"enabled": False}},
        "peers": {"ann": {"observe_me": True}, "bot": {"observe_others": True}},
    }
    answer = await app.post("/acme/sessions", sent)
    assert answer.json()["metadata"] == {"a": 1}
    assert answer.json()["configuration"] == {"summary": {"enabled": False}}
    assert sorted(await app.recorded()) == [
        "peer-created",
        "peer-created",
        "peer-joined",
        "peer-joined",
        "session-created",
        "workspace-created",
    ]


async def test_posting_again_replaces_metadata_merges_settings_and_adds_peers(app):
    await app.post(
        "/acme/sessions",
        {"id": "s1", "metadata": {"a": 1}, "configuration": {"top": 1}},
    )
    answer = await app.post(
        "/acme/sessions",
        {
            "id": "s1",
            "metadata": {"b": 2},
            "configuration": {"dream": {}},
            "peers": {"ann": {}},
        },
    )
    assert (answer.status_code, answer.json()["metadata"]) == (200, {"b": 2})
    assert answer.json()["configuration"] == {"top": 1, "dream": {}}
    assert await app.recorded(after=2) == [
        "session-configured",
        "peer-joined",
        "peer-created",
    ]


async def test_x6_peer_names_is_an_alias_and_a_null_under_peers_wins(app):
    await app.post("/acme/sessions", {"id": "s1", "peer_names": {"ann": {}}})
    assert "peer-joined" in await app.recorded()
    head = await app.store.head()
    sent = {"id": "s1", "peers": None, "peer_names": {"bob": {}}}
    assert (await app.post("/acme/sessions", sent)).status_code == 200
    assert await app.recorded(after=head) == []


async def test_x66_eleven_observers_are_400_and_nothing_was_made(app):
    peers = {f"p{n}": {"observe_others": True} for n in range(11)}
    answer = await app.post("/acme/sessions", {"id": "s1", "peers": peers})
    assert answer.status_code == 400
    assert "11 observers" in answer.json()["detail"]
    assert "Maximum allowed is 10 observers" in answer.json()["detail"]
    assert await app.recorded() == []


async def test_x67_ten_observers_and_many_others_are_fine(app):
    peers = {f"p{n}": {"observe_others": n < 10} for n in range(40)}
    answer = await app.post("/acme/sessions", {"id": "s1", "peers": peers})
    assert answer.status_code == 201


async def test_x70_put_creates_and_an_empty_object_clears_metadata(app):
    answer = await app.put("/acme/sessions/s1", {"metadata": {"a": 1}})
    assert (answer.status_code, answer.json()["metadata"]) == (200, {"a": 1})
    answer = await app.put("/acme/sessions/s1", {"metadata": {}})
    assert answer.json()["metadata"] == {}


async def test_peers_are_added_to_a_session_that_is_made_for_them(app):
    answer = await app.post("/acme/sessions/s1/peers", {"ann": {}, "bob": {}})
    assert (answer.status_code, answer.json()["id"]) == (200, "s1")
    assert (await app.recorded()).count("peer-joined") == 2


async def test_an_empty_map_of_peers_adds_nobody(app):
    assert (await app.post("/acme/sessions/s1/peers", {})).status_code == 200
    assert await app.recorded() == ["workspace-created", "session-created"]


async def test_x88_only_one_who_left_comes_back_with_new_flags(app):
    await app.post("/acme/sessions/s1/peers", {"ann": {}})
    head = await app.store.head()
    await app.post("/acme/sessions/s1/peers", {"ann": {"observe_me": False}})
    [again] = await app.store.read_log(after=head, limit=10)
    assert (again.event.peer, again.event.observe_me) == ("ann", None)
    head = await app.store.head()
    answer = await app.send("DELETE", "/acme/sessions/s1/peers", ["ann", "nobody"])
    assert (answer.status_code, answer.json()["id"]) == (200, "s1")
    await app.post("/acme/sessions/s1/peers", {"ann": {"observe_me": False}})
    assert await app.recorded(after=head) == ["peer-left", "peer-joined"]


async def test_nobody_can_be_removed_from_a_session_that_is_not_there(app):
    for path in ("/acme/sessions/nope/peers", "/a.b/sessions/s/peers"):
        answer = await app.send("DELETE", path, ["ann"])
        assert answer.status_code == 404
        assert "not found in workspace" in answer.json()["detail"]
    assert await app.recorded() == []


async def test_ten_requests_at_once_make_a_session_once(app):
    answers = await asyncio.gather(
        *(
            app.post("/acme/sessions", {"id": "s1", "peers": {f"p{n}": {}}})
            for n in range(10)
        )
    )
    assert sorted(each.status_code for each in answers) == [200] * 9 + [201]
    recorded = await app.recorded()
    assert recorded.count("session-created") == recorded.count("workspace-created") == 1
    assert recorded.count("peer-joined") == recorded.count("peer-created") == 10
