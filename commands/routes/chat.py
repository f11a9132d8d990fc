"""Chat: ask what a peer's memory holds; question and answer are recorded."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK
from pydantic import AfterValidator, BaseModel, Field

from commands.ports import AskedQuestion
from commands.question import ask
from commands.routes.free_json import strip_nul
from commands.routes.ports import (
    GivenAnswerer,
    GivenOrigin,
    GivenParse,
    GivenWrite,
)
from commands.routes.reply import reply
from domain.errors import Invalid

MAX_QUERY = 10_000
"""Longest question in characters (HC 10)."""

Query = Annotated[
    str, Field(min_length=1, max_length=MAX_QUERY), AfterValidator(strip_nul)
]
Scope = Annotated[list[str], Field(min_length=1, max_length=100)]


class ChatRequest(BaseModel):
    """Body of E12."""

    query: Query
    stream: bool = False
    target: str | None = None
    session_id: str | None = None
    filters: dict[str, Any] | None = None
    scope: str | Scope | None = None
    reasoning_level: Literal["minimal", "low", "medium", "high", "max"] = "low"
    response_format: dict[str, Any] | None = None

    def check_served(self) -> None:
        """Refuse what would silently be ignored.

        Raises:
            Invalid: the request asks for what is not served yet.
        """
        if self.scope is not None and self.filters is not None:
            raise Invalid("`scope` and `filters` are mutually exclusive")
        if self.scope is not None and self.session_id is not None:
            raise Invalid("`scope` and `session_id` are mutually exclusive")
        for option in ("scope", "filters", "response_format"):
            if getattr(self, option) is not None:
                raise Invalid(f"`{option}` is not served yet")
        if self.stream:
            raise Invalid("Streaming is not served yet; ask with `stream` false")


class ChatBody(msgspec.Struct, frozen=True):
    """An answer; null when it is empty (HC E12)."""

    content: str | None


@post(
    "/v3/workspaces/{workspace:str}/peers/{peer:str}/chat",
    opt={"body": ChatRequest},
    summary="Ask",
    status_code=HTTP_200_OK,
)
async def post_chat(
    workspace: FromPath[str],
    peer: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
    answerer: GivenAnswerer,
) -> Response[ChatBody]:
    """E12, without streaming."""
    body = await parse.body(ChatRequest)
    body.check_served()
    question = AskedQuestion(
        workspace=workspace,
        peer=peer,
        target=peer if body.target is None else body.target,
        session=body.session_id,
        query=body.query,
        level=body.reasoning_level,
    )
    reason = await origin.reason(workspace)
    answer = await ask(write, answerer, question, reason)
    return reply(ChatBody(answer.question.answer or None), answer.position)
