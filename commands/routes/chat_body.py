"""What a chat is asked, and how its answer is shown (HC E12, 7.5)."""

import json
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, Field

from commands.asking import CitedConclusion, CitedEvidence, CitedMessage
from commands.routes.free_json import strip_nul
from commands.routes.moment import AsOf
from commands.routes.scopes import ScopeName
from domain.question import QuestionAnswered

MAX_QUERY = 10_000
"""Longest question in characters (HC 10)."""

MAX_SCOPES = 100
"""Most scopes one question may name (HC E12)."""

Query = Annotated[
    str, Field(min_length=1, max_length=MAX_QUERY), AfterValidator(strip_nul)
]
ScopeOption = (
    ScopeName | Annotated[list[ScopeName], Field(min_length=1, max_length=MAX_SCOPES)]
)
Level = Literal["minimal", "low", "medium", "high", "max"]


class ChatQuery(BaseModel):
    """What is asked beside the body: memory as it stood at a moment."""

    as_of: AsOf | None = Field(
        default=None,
        description="Ask memory as it stood at this position of the log, or at this"
        " time (RFC 3339, with an offset)",
    )


class WorkspaceChatRequest(BaseModel):
    """Body of a workspace's chat (HC 7.5)."""

    query: Query
    stream: bool = False
    session_id: str | None = None
    scope: ScopeOption | None = None
    reasoning_level: Level = "low"
    response_format: dict[str, Any] | None = None
    include_evidence: bool = False


class ChatRequest(WorkspaceChatRequest):
    """Body of E12."""

    target: str | None = None
    filters: dict[str, Any] | None = None


class ToolCall(msgspec.Struct, frozen=True):
    """A tool a model used, with what it asked for."""

    tool_name: str
    tool_input: dict[str, Any]


class EvidenceBody(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer rests on; ``reasoning_trace_id`` is the id of its record."""

    conclusions: tuple[CitedConclusion, ...]
    messages: tuple[CitedMessage, ...]
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning_trace_id: str | None = None


class ChatBody(msgspec.Struct, frozen=True, kw_only=True):
    """An answer; null when it is empty. Evidence is there if it was asked for."""

    content: str | None
    evidence: EvidenceBody | msgspec.UnsetType = msgspec.UNSET


def evidence_body(found: CitedEvidence, recorded: QuestionAnswered) -> EvidenceBody:
    """Show evidence and the tools that were used, with the id of the record."""
    tools = () if recorded.trace is None else recorded.trace.tools
    used = zip(tools, recorded.inputs, strict=False)
    return EvidenceBody(
        conclusions=found.conclusions,
        messages=found.messages,
        tool_calls=tuple(ToolCall(each.tool, _input(text)) for each, text in used),
        reasoning_trace_id=recorded.id,
    )


def _input(text: str) -> dict[str, Any]:
    """Read what a model wrote; what is no object is shown as it is."""
    try:
        given = json.loads(text)
    except ValueError:
        return {"arguments": text}
    return given if isinstance(given, dict) else {"arguments": text}
