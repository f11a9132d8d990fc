"""Deletion at the doors: asked twice, and met while it is carried out."""

from datetime import timedelta

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.erasure import (
    SessionDeleted,
    WorkspaceDeletionRequested,
    WorkspaceErasureBegun,
)
from domain.names import workspace_stream
from tests.support.application import NOON
from tests.support.log import CAUSE


async def test_a_session_deleted_under_a_key_is_deleted_once(app):
    await app.post("", {"id": "w"})
    await app.post("/w/sessions", {"id": "s"})
    path, key = "/w/sessions/s", {"idempotency_key": "k"}
    first = await app.send("DELETE", path, **key)
    again = await app.send("DELETE", path, **key)
    assert first.status_code == again.status_code == 202
    assert again.json() == {"message": "Session deleted successfully"}
    assert first.headers["x-position"] == again.headers["x-position"]
    assert (await app.recorded()).count("session-deleted") == 1
    assert (await app.send("DELETE", path)).status_code == 404


async def test_what_is_deleted_is_to_be_erased_after_the_grace(app):
    await app.post("/w/sessions", {"id": "s"})
    await app.send("DELETE", "/w/sessions/s")
    await app.send("DELETE", "/w")
    page = await app.store.read_log(after=0, limit=100)
    [deleted] = [e.event for e in page if isinstance(e.event, SessionDeleted)]
    assert deleted.purge_at - deleted.deleted_at == timedelta(seconds=5)
    [asked] = [e.event for e in page if isinstance(e.event, WorkspaceDeletionRequested)]
    assert asked.purge_at - asked.requested_at == timedelta(seconds=5)


async def test_names_that_could_never_be_are_404(app):
    for path in ("/w%20x", "/w/sessions/s%20x", "/w%00"):
        answer = await app.send("DELETE", path)
        assert answer.status_code == 404
        assert "not found" in answer.json()["detail"]


async def test_a_workspace_once_accepted_stays_so_whatever_is_active(app):
    await app.post("/w/sessions", {"id": "s"})
    app.active_sessions.found = True
    assert (await app.send("DELETE", "/w")).status_code == 409
    app.active_sessions.found = False
    assert (await app.send("DELETE", "/w")).status_code == 202
    app.active_sessions.found = True
    assert (await app.send("DELETE", "/w")).status_code == 202


async def test_while_a_workspace_is_erased_writes_are_asked_to_come_again(app):
    await app.post("/w/sessions", {"id": "s"})
    await app.send("DELETE", "/w")
    stream = workspace_stream("w")
    begun = WorkspaceErasureBegun(workspace="w")
    await app.store.append(
        AppendRequest("w", (StreamAppend(stream, ANY, (begun,)),), CAUSE)
    )
    app.decide.forget(stream.name)
    said = {"messages": [{"peer_id": "a", "content": "hi", "created_at": str(NOON)}]}
    for answer in (
        await app.post("", {"id": "w"}),
        await app.put("/w", {}),
        await app.post("/w/sessions", {"id": "t"}),
        await app.post("/w/peers", {"id": "a"}),
        await app.post("/w/sessions/s/messages", said),
    ):
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
