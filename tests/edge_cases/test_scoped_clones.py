"""HC E22: a copy of a session is in its scopes, and brings nothing with it."""


def test_a_clone_is_in_the_scopes_of_its_source_without_backfill(api, at):
    body = {"id": "s", "peers": {"alice": {}}, "scopes": ["trip", "home"]}
    assert api.post(f"{at}/sessions", json=body).status_code == 201
    said = {"messages": [{"peer_id": "alice", "content": "Good morning."}]}
    api.post(f"{at}/sessions/s/messages", json=said)
    concluded = {
        "content": "alice likes trains",
        "observer_id": "scope.trip",
        "observed_id": "alice",
        "session_id": "s",
    }
    api.post(f"{at}/conclusions", json={"conclusions": [concluded]})
    clone = api.post(f"{at}/sessions/s/clone").json()["id"]
    for scope in ("trip", "home"):
        page = api.post(f"{at}/scopes/{scope}/sessions/list").json()
        assert [each["id"] for each in page["items"]] == ["s", clone]
        status = api.get(f"{at}/scopes/{scope}/status").json()
        assert status == {"backfill_status": {}}
    wanted = {"filters": {"session_id": clone}}
    assert api.post(f"{at}/conclusions/list", json=wanted).json()["items"] == []
    found = api.post(f"{at}/search", json={"query": "morning", "scope": "trip"}).json()
    assert {each["session_id"] for each in found} == {"s", clone}
