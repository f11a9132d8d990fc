"""A message there is: replace its metadata."""

from litestar import Response, put
from litestar.params import FromPath
from pydantic import BaseModel

from commands.message_metadata import ChangeMetadata, change_message
from commands.routes.free_json import Metadata
from commands.routes.message_body import MessageBody
from commands.routes.ports import (
    GivenFindMessage,
    GivenOrigin,
    GivenParse,
    GivenWrite,
)
from commands.routes.reply import reply


class MessageUpdate(BaseModel):
    """Body of E36."""

    metadata: Metadata | None = None


@put(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/messages/{message:str}",
    opt={"body": MessageUpdate},
    summary="Set up",
)
async def put_message(
    workspace: FromPath[str],
    session: FromPath[str],
    message: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
    find_message: GivenFindMessage,
) -> Response[MessageBody]:
    """E36: the message, unchanged but for its metadata."""
    body = await parse.body(MessageUpdate)
    command = ChangeMetadata(
        workspace=workspace, session=session, message=message, metadata=body.metadata
    )
    reason = await origin.reason(workspace)
    changed = await change_message(write, find_message, command, reason)
    stored = changed.message
    answer = MessageBody(
        stored.id,
        stored.content,
        stored.author,
        session,
        stored.metadata,
        stored.created_at,
        workspace,
        stored.tokens,
    )
    return reply(answer, changed.position)
