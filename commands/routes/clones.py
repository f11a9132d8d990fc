"""Copies of sessions."""

from litestar import Response, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_201_CREATED
from pydantic import BaseModel

from commands.clone import CloneSession, clone_session
from commands.routes.ports import GivenOrigin, GivenParse, GivenWrite
from commands.routes.reply import reply
from commands.routes.session_body import SessionBody, session_body


class CloneQuery(BaseModel):
    """Query of E22: the last message to copy, else all are."""

    message_id: str | None = None


@post(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/clone",
    opt={"query": CloneQuery},
    summary="Clone",
    status_code=HTTP_201_CREATED,
)
async def post_clone(
    workspace: FromPath[str],
    session: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[SessionBody]:
    """E22: the copy, under a name of its own."""
    query = parse.query(CloneQuery)
    command = CloneSession(
        workspace=workspace, session=session, message=query.message_id
    )
    cloned = await clone_session(write, command, await origin.reason(workspace))
    written = cloned.written
    answer = session_body(workspace, cloned.session, written.state)
    return reply(answer, written.position, created=True)
