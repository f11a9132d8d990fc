"""Chat: ask what a peer's memory holds, or a workspace's; both are recorded."""

from contextlib import aclosing
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK

from commands.asking import AskedQuestion, Chat, FindScopes, Scoped
from commands.question import (
    Answer,
    Opened,
    ask,
    open_question,
    refuse_scopes,
    tell,
)
from commands.response_format import read_response_format
from commands.routes.chat_body import (
    ChatBody,
    ChatQuery,
    ChatRequest,
    EvidenceBody,
    WorkspaceChatRequest,
    evidence_body,
)
from commands.routes.ports import (
    Caller,
    GivenCaller,
    GivenChat,
    GivenOrigin,
    GivenParse,
    GivenWrite,
)
from commands.routes.reply import reply
from commands.routes.sse import Events, EventStream
from commands.write import Write
from domain.allowlist import read_allowlist
from domain.errors import Invalid
from domain.moment import NOW

NEEDS_WIDE_KEY = "`scope` requires a workspace- or admin-level key"
"""What a peer's or a session's key is told that names a scope (HC 1.12)."""


@post(
    "/v3/workspaces/{workspace:str}/peers/{peer:str}/chat",
    opt={"query": ChatQuery, "body": ChatRequest, "streams": True},
    summary="Ask",
    status_code=HTTP_200_OK,
)
async def post_chat(
    workspace: FromPath[str],
    peer: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    caller: GivenCaller,
    write: GivenWrite,
    chat: GivenChat,
) -> Response[ChatBody]:
    """E12: what is wrong is told in the order the contract has."""
    query, body = await parse.query_and_body(ChatQuery, ChatRequest)
    await refuse_scopes(write, workspace, (peer, body.target))
    if body.scope is not None and body.filters is not None:
        raise Invalid("`scope` and `filters` are mutually exclusive")
    as_of = NOW if query.as_of is None else await chat.find_position(query.as_of)
    scoped = await _scoped((workspace, as_of), body, caller, chat.find_scopes)
    if body.session_id is not None:
        await caller.check_active_member(workspace, [body.session_id])
    listed = read_allowlist(body.filters, body.session_id)
    if listed:
        await caller.check_active_member(workspace, listed)
    question = _question(
        workspace,
        body,
        peer=peer,
        target=peer if body.target is None else body.target,
        scope=scoped.scope,
        sessions=scoped.sessions if listed is None else tuple(listed),
        as_of=as_of,
        moment=query.as_of if isinstance(query.as_of, datetime) else None,
    )
    opened = await open_question(write, question, await origin.reason(workspace))
    return await _answer(write, chat, body, opened)


@post(
    "/v3/workspaces/{workspace:str}/chat",
    opt={"query": ChatQuery, "body": WorkspaceChatRequest, "streams": True},
    summary="Ask all of a workspace",
    status_code=HTTP_200_OK,
)
async def post_workspace_chat(
    workspace: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    caller: GivenCaller,
    write: GivenWrite,
    chat: GivenChat,
) -> Response[ChatBody]:
    """Answer from everything the workspace holds (HC 7.5)."""
    query, body = await parse.query_and_body(ChatQuery, WorkspaceChatRequest)
    as_of = NOW if query.as_of is None else await chat.find_position(query.as_of)
    scoped = await _scoped((workspace, as_of), body, caller, chat.find_scopes)
    question = _question(
        workspace,
        body,
        peer=None,
        target=None,
        scope=scoped.scope,
        sessions=scoped.sessions,
        as_of=as_of,
        moment=query.as_of if isinstance(query.as_of, datetime) else None,
    )
    opened = await open_question(write, question, await origin.reason(workspace))
    return await _answer(write, chat, body, opened)


async def _scoped(
    place: tuple[str, int],
    body: WorkspaceChatRequest,
    caller: Caller,
    find_scopes: FindScopes,
) -> Scoped:
    """Return what the option ``scope`` comes to, in a workspace at a position."""
    if body.scope is None:
        return Scoped()
    if body.session_id is not None:
        raise Invalid("`scope` and `session_id` are mutually exclusive")
    caller.refuse_narrow(NEEDS_WIDE_KEY)
    workspace, as_of = place
    return await find_scopes(workspace, body.scope, as_of)


def _question(
    workspace: str, body: WorkspaceChatRequest, **asked: Any
) -> AskedQuestion:
    form = None
    if body.response_format is not None:
        form = read_response_format(body.response_format)
    return AskedQuestion(
        workspace=workspace,
        session=body.session_id,
        query=body.query,
        level=body.reasoning_level,
        form=form,
        **asked,
    )


async def _answer(
    write: Write, chat: Chat, body: WorkspaceChatRequest, opened: Opened
) -> Response[ChatBody]:
    if body.stream:
        events = _events(write, chat, body, opened)
        return EventStream(events, opened.position)
    answer = await ask(write, chat.answerer, opened)
    evidence: EvidenceBody | msgspec.UnsetType = msgspec.UNSET
    if body.include_evidence:
        evidence = await _evidence(chat, opened, answer)
    content = answer.question.answer or None
    return reply(ChatBody(content=content, evidence=evidence), answer.position)


async def _events(
    write: Write, chat: Chat, body: WorkspaceChatRequest, opened: Opened
) -> Events:
    """Yield a delta for each piece, then the one event that says it is all."""
    async with aclosing(tell(write, chat.answerer, opened)) as pieces:
        async for piece in pieces:
            if not isinstance(piece, Answer):
                yield {"delta": {"content": piece}, "done": False}
            elif body.include_evidence:
                evidence = await _evidence(chat, opened, piece)
                yield {"done": True, "evidence": msgspec.to_builtins(evidence)}
            else:
                yield {"done": True}


async def _evidence(chat: Chat, opened: Opened, answer: Answer) -> EvidenceBody:
    recorded = answer.question
    found = await chat.find_evidence(
        opened.question, recorded.conclusions, recorded.messages
    )
    return evidence_body(found, recorded)
