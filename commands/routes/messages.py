"""Messages: say something in a session. The hot path."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_201_CREATED
from pydantic import AfterValidator, BaseModel, Field

from commands.messages import AddMessages, Said, add_messages
from commands.routes.free_json import Metadata, strip_nul
from commands.routes.ports import GivenOrigin, GivenParse, GivenWrite
from commands.routes.reply import reply
from commands.routes.settings import MessageConfiguration, stored
from domain.session import MessageAdded

MAX_CONTENT = 25_000
"""Longest message in characters (HC 10)."""

MAX_BATCH = 100
"""Most messages in one request (HC 10)."""


_UNHOLDABLE = (
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
)


def _in_utc(value: datetime) -> datetime:
    """Refuse a time whose UTC form no calendar has; keep the offset as sent.

    The calendar's first and last moment are refused too: views cannot hold them, as
    to Postgres they are the infinities.
    """
    try:
        utc = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("time is out of range") from None
    if utc in _UNHOLDABLE:
        raise ValueError("time is out of range")
    return value


Moment = Annotated[datetime, AfterValidator(_in_utc)]


Content = Annotated[str, Field(max_length=MAX_CONTENT), AfterValidator(strip_nul)]


class NewMessage(BaseModel):
    """One message of E32."""

    content: Content
    peer_id: str
    metadata: Metadata | None = None
    configuration: MessageConfiguration | None = None
    created_at: Moment | None = None

    def said(self) -> Said:
        """Return what was said."""
        return Said(
            author=self.peer_id,
            content=self.content,
            metadata=self.metadata or {},
            configuration=stored(self.configuration),
            created_at=self.created_at,
        )


class NewMessages(BaseModel):
    """Body of E32."""

    messages: Annotated[list[NewMessage], Field(min_length=1, max_length=MAX_BATCH)]


class MessageBody(msgspec.Struct, frozen=True):
    """A message as it is answered; its time as it was sent (HC 1.8, 1.17)."""

    id: str
    content: str
    peer_id: str
    session_id: str
    metadata: dict[str, Any]
    created_at: datetime
    workspace_id: str
    token_count: int


@post(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/messages",
    opt={"body": NewMessages},
    summary="Add messages",
    status_code=HTTP_201_CREATED,
)
async def post_messages(
    workspace: FromPath[str],
    session: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[list[MessageBody]]:
    """E32: all of them in order, or none."""
    body = await parse.body(NewMessages)
    command = AddMessages(
        workspace=workspace,
        session=session,
        said=[message.said() for message in body.messages],
    )
    added = await add_messages(write, command, await origin.reason(workspace))
    answer = [_body(message) for message in added.messages]
    return reply(answer, added.position, created=True)


def _body(message: MessageAdded) -> MessageBody:
    return MessageBody(
        message.id,
        message.content,
        message.author,
        message.session,
        message.metadata,
        message.created_at,
        message.workspace,
        message.tokens,
    )
