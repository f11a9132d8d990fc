"""Deletions: of a session, of a workspace. Accepted at once, carried out later."""

import msgspec
from litestar import Response, delete
from litestar.params import FromPath
from litestar.status_codes import HTTP_202_ACCEPTED

from commands.deletion import (
    DeleteSession,
    DeleteWorkspace,
    delete_session,
    delete_workspace,
)
from commands.routes.ports import (
    GivenActiveSessions,
    GivenGrace,
    GivenOrigin,
    GivenWrite,
)
from commands.routes.reply import Reply


class Accepted(msgspec.Struct, frozen=True):
    """That a deletion was accepted."""

    message: str


@delete(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}",
    summary="Delete",
    status_code=HTTP_202_ACCEPTED,
)
async def delete_session_route(
    workspace: FromPath[str],
    session: FromPath[str],
    origin: GivenOrigin,
    write: GivenWrite,
    deletion_grace: GivenGrace,
) -> Response[Accepted]:
    """E21: inactive at once, erased later."""
    command = DeleteSession(workspace=workspace, session=session, grace=deletion_grace)
    written = await delete_session(write, command, await origin.reason(workspace))
    return _accepted("Session deleted successfully", written.position)


@delete(
    "/v3/workspaces/{workspace:str}",
    summary="Delete",
    status_code=HTTP_202_ACCEPTED,
)
async def delete_workspace_route(
    workspace: FromPath[str],
    origin: GivenOrigin,
    write: GivenWrite,
    active_sessions: GivenActiveSessions,
    deletion_grace: GivenGrace,
) -> Response[Accepted]:
    """E04: erased later, with all that is in it; refused while sessions are active."""
    command = DeleteWorkspace(workspace=workspace, grace=deletion_grace)
    reason = await origin.reason(workspace)
    written = await delete_workspace(write, active_sessions, command, reason)
    return _accepted("Workspace deletion accepted", written.position)


def _accepted(message: str, position: int) -> Response[Accepted]:
    return Reply(Accepted(message), HTTP_202_ACCEPTED, position)
