"""Messages: say something in a session. The hot path."""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Response, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_201_CREATED
from pydantic import AfterValidator, BaseModel, Field, ValidationInfo
from pydantic_core import PydanticKnownError

from commands.messages import AddMessages, Said, add_messages
from commands.ports import Limits
from commands.routes.free_json import Metadata, as_text
from commands.routes.message_body import MessageBody, message_body
from commands.routes.ports import GivenOrigin, GivenParse, GivenWrite
from commands.routes.reply import reply
from commands.routes.settings import MessageConfiguration, stored

MAX_CONTENT = 25_000
"""Longest message in characters, unless settings say otherwise (HC 10)."""

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


def _short_enough(text: str, info: ValidationInfo) -> str:
    """Refuse what is longer than a message may be here."""
    limits: Limits = (info.context or {})["limits"]
    if len(text) > limits.message_size:
        raise PydanticKnownError("string_too_long", {"max_length": limits.message_size})
    return as_text(text)


Content = Annotated[
    str,
    Field(json_schema_extra={"maxLength": MAX_CONTENT}),
    AfterValidator(_short_enough),
]


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
    answer = [message_body(message) for message in added.messages]
    return reply(answer, added.position, created=True)
