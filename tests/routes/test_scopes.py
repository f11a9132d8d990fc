"""Scopes over HTTP: what is recorded, once, together, or not at all (E41, E44, E45)."""

import asyncio


async def opened(app, *sessions):
    for session in sessions:
        await app.post("/acme/sessions", {"id": session})
    await app.post("/acme/scopes", {"id": "trip"})
    return len(await app.recorded())


async def test_a_scope_makes_its_workspace(app):
    answer = await app.post("/acme/scopes", {"id": "trip", "metadata": {"a": 1}})
    assert (answer.status_code, answer.json()) == (
        201,
        {"id": "trip", "metadata": {"a": 1}, "created_at": "2026-11-22T12:00:00Z"},
    )
    assert await app.recorded() == ["workspace-created", "scope-created"]
    again = await app.post("/acme/scopes", {"id": "trip", "metadata": None})
    assert (again.status_code, again.json()) == (200, answer.json())
    assert await app.recorded(after=2) == []
    await app.post("/acme/scopes", {"id": "trip", "metadata": {}})
    assert await app.recorded(after=2) == ["peer-configured"]


async def test_sessions_come_in_together_and_each_once(app):
    before = await opened(app, "s", "t")
    body = {"session_ids": ["s", "t", "s"]}
    answer = await app.post("/acme/scopes/trip/sessions", body)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers
    assert int(answer.headers["x-position"]) == before + 2
    assert app.views.positions[-1] == before + 2
    assert await app.recorded(before) == ["session-added-to-scope"] * 2


async def test_nothing_comes_in_where_one_is_missing(app):
    before = await opened(app, "s")
    body = {"session_ids": ["s", "gone"]}
    answer = await app.post("/acme/scopes/trip/sessions", body)
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "Session(s) ['gone'] not found in workspace acme"},
    )
    for path in ("/acme/scopes/none/sessions", "/a b/scopes/trip/sessions"):
        assert (await app.post(path, {"session_ids": ["s"]})).status_code == 404
    assert await app.recorded(before) == []


async def test_who_adds_different_sessions_at_once_never_meets(app):
    names = [f"s{number}" for number in range(8)]
    before = await opened(app, *names)
    answers = await asyncio.gather(
        *(app.post("/acme/scopes/trip/sessions", {"session_ids": [n]}) for n in names),
        *(app.post("/acme/sessions", {"id": n, "scopes": ["new"]}) for n in names),
    )
    assert {each.status_code for each in answers} == {200, 204}
    recorded = await app.recorded(before)
    assert recorded.count("session-added-to-scope") == 16
    assert recorded.count("scope-created") == 1


async def test_a_repeated_key_adds_once(app):
    before = await opened(app, "s")
    body = {"session_ids": ["s"]}
    first, again = [
        await app.post("/acme/scopes/trip/sessions", body, idempotency_key="k")
        for _ in range(2)
    ]
    assert first.headers["x-position"] == again.headers["x-position"]
    assert await app.recorded(before) == ["session-added-to-scope"]


async def test_a_session_leaves_once(app):
    before = await opened(app, "s")
    path = "/acme/scopes/trip/sessions/s"
    assert (await app.send("DELETE", path)).status_code == 204
    await app.post("/acme/scopes/trip/sessions", {"session_ids": ["s"]})
    for _ in range(2):
        assert (await app.send("DELETE", path)).status_code == 204
    assert await app.recorded(before) == [
        "session-added-to-scope",
        "session-removed-from-scope",
    ]
    for wrong in ("trip/sessions/gone", "trip/sessions/a.b", "none/sessions/s"):
        answer = await app.send("DELETE", f"/acme/scopes/{wrong}")
        assert answer.status_code == 404


async def test_a_session_is_opened_in_scopes_in_one_append(app):
    body = {"id": "s", "peers": {"ann": {}}, "scopes": ["trip", "home", "trip"]}
    answer = await app.post("/acme/sessions", body)
    assert answer.status_code == 201
    assert sorted(await app.recorded()) == sorted(
        [
            "workspace-created",
            "session-created",
            "peer-created",
            "peer-joined",
            "scope-created",
            "scope-created",
            "session-added-to-scope",
            "session-added-to-scope",
        ]
    )
    before = len(await app.recorded())
    assert (await app.post("/acme/sessions", body)).status_code == 200
    assert await app.recorded(before) == ["peer-joined"]


async def test_a_refused_session_makes_no_scope(app):
    peers = {f"p{number}": {"observe_others": True} for number in range(11)}
    body = {"id": "s", "peers": peers, "scopes": ["trip"]}
    assert (await app.post("/acme/sessions", body)).status_code == 400
    body = {"id": "s", "peers": {"scope.x": {}}, "scopes": ["x"]}
    assert (await app.post("/acme/sessions", body)).status_code == 422
    assert await app.recorded() == []
