"""A session as an agent is given it: summary, newest messages, what is known (E29)."""

from functools import cache
from typing import cast

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from pydantic import Field, create_model

from domain.allowlist import check_sessions
from domain.errors import Invalid
from projections.ports import Connection, Database, QueryEmbedder, TokenCounter, Views
from projections.representation import MOST, Wanted, represent
from projections.representation_text import markdown, plain
from projections.session_context import MOST_TOKENS, Fitted, fit, newest_that_fit
from projections.summaries import get_summaries
from projections.summaries_heard import get_heard_summaries
from read_api.answers import Message, Summary, summary_of
from read_api.asking import Named, check_length, probe_of
from read_api.cards import card_of
from read_api.moment import answer, reached
from read_api.peer_contexts import RecallQuery
from read_api.ports import Caller, Injected, Parse
from read_api.scopes import (
    NEEDS_WIDE_KEY,
    Scoped,
    ScopeName,
    refuse_perspective,
    refuse_reserved,
    resolve_scope,
)


class SessionContextQuery(RecallQuery):
    """The budget, whether to sum up, and who is to be known by whom; see HC E29."""

    tokens: int | None = Field(default=None, le=MOST_TOKENS)
    summary: bool = True
    peer_target: Named | None = None
    peer_perspective: Named | None = None
    scope: ScopeName | None = None
    sessions: list[Named] | None = None
    limit_to_session: bool = False


class SessionContext(msgspec.Struct, frozen=True):
    """What fits; representation and card are null where no target was named."""

    id: str
    messages: list[Message]
    summary: Summary | None
    peer_representation: str | None
    peer_card: list[str] | None


class Known(msgspec.Struct, frozen=True):
    """What is known of the target, and the tokens it costs."""

    representation: str | None = None
    card: list[str] | None = None
    tokens: int = 0


@get(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/context",
    opt={"query": SessionContextQuery},
)
async def get_session_context(  # noqa: PLR0913, PLR0917  injected by name
    workspace: FromPath[str],
    session: FromPath[str],
    parse: Injected[Parse],
    caller: Injected[Caller],
    views: Injected[Views],
    database: Injected[Database],
    query_embedder: Injected[QueryEmbedder],
    tokens: Injected[TokenCounter],
    context_max_tokens: Injected[int],
) -> Response[SessionContext]:
    """Return what of a session fits a budget of tokens (E29)."""
    query = parse.query(_capped(context_max_tokens))
    moment = await reached(views, query, searched=bool(query.search_query))
    scoped = await _scoped(query, (workspace, session), caller, database, moment.as_of)
    wanted = await _wanted(query, (workspace, scoped), query_embedder, tokens)
    if wanted is not None:
        wanted = msgspec.structs.replace(wanted, as_of=moment.as_of)
    budget = context_max_tokens if query.tokens is None else query.tokens
    async with database.acquire() as db:
        known = await _know(db, wanted, tokens) if wanted else Known()
        fitted = await _fit(
            db,
            (workspace, session),
            budget - known.tokens,
            moment.as_of,
            given=query.summary,
            whom=_whom(query, scoped),
        )
        messages = await newest_that_fit(db, workspace, session, fitted, moment.as_of)
    content = SessionContext(
        id=session,
        messages=cast("list[Message]", messages),
        summary=summary_of(fitted.summary) if fitted.summary else None,
        peer_representation=known.representation,
        peer_card=known.card,
    )
    return answer(content, moment)


@cache
def _capped(most: int) -> type[SessionContextQuery]:
    """Return the query as it is accepted under a setting's cap."""
    return create_model(
        "Capped",
        __base__=SessionContextQuery,
        tokens=(int | None, Field(default=None, le=most)),
    )


async def _scoped(
    query: SessionContextQuery,
    named: tuple[str, str],
    caller: Caller,
    database: Database,
    as_of: int,
) -> Scoped:
    """Check the options in the order of HC 6.5; return who recalls from what."""
    workspace, session = named
    if query.peer_perspective is not None and query.peer_target is None:
        raise Invalid("peer_target must be provided if peer_perspective is provided")
    await refuse_reserved(database, workspace, query.peer_target, as_of=as_of)
    await refuse_perspective(database, workspace, query.peer_perspective, as_of)
    _check_scope(query, caller)
    sessions = _sessions(query, session)
    if query.sessions is not None:
        await caller.check_active_member(workspace, sessions or [])
    if query.scope is None:
        observer = query.peer_perspective
        if observer is None:
            observer = query.peer_target
        if observer is not None:
            caller.check_own(observer)
        return Scoped(observer, sessions)
    async with database.acquire() as db:
        scoped = await resolve_scope(db, workspace, query.scope, as_of)
    return Scoped(scoped.observer, sessions)


async def _wanted(
    query: SessionContextQuery,
    recalled: tuple[str, Scoped],
    embedder: QueryEmbedder,
    tokens: TokenCounter,
) -> Wanted | None:
    """Return what is to be known; None if no target is named."""
    workspace, scoped = recalled
    target = query.peer_target
    if target is None:
        return None
    asked = query.search_query or ""
    check_length(asked, tokens)
    return Wanted(
        tenant=workspace,
        observer=target if scoped.observer is None else scoped.observer,
        observed=target,
        budget=query.max_conclusions or MOST,
        query=asked or None,
        probe=await probe_of(asked, embedder),
        top=query.search_top_k,
        farthest=query.search_max_distance,
        frequent=query.include_most_frequent,
        sessions=scoped.sessions,
    )


def _check_scope(query: SessionContextQuery, caller: Caller) -> None:
    if query.scope is None:
        return
    if query.peer_perspective is not None:
        raise Invalid("`scope` and `peer_perspective` are mutually exclusive")
    if query.peer_target is None:
        raise Invalid("peer_target must be provided if scope is provided")
    caller.refuse_narrow(NEEDS_WIDE_KEY)


def _sessions(query: SessionContextQuery, session: str) -> list[str] | None:
    if query.sessions is None:
        return [session] if query.limit_to_session else None
    if query.scope is not None:
        raise Invalid("`sessions` and `scope` are mutually exclusive")
    if query.limit_to_session:
        raise Invalid("`sessions` and `limit_to_session` are mutually exclusive")
    if query.peer_target is None:
        raise Invalid("peer_target must be provided if sessions is provided")
    listed = check_sessions(query.sessions)
    if session not in listed:
        raise Invalid("session_id must be included in sessions")
    return listed


async def _know(db: Connection, wanted: Wanted, tokens: TokenCounter) -> Known:
    """Recall the target; a confined recall leaves the card out (HC 6.5)."""
    card = None
    if wanted.sessions is None:
        card = await card_of(
            db, wanted.tenant, wanted.observer, wanted.observed, wanted.as_of
        )
    observations = await represent(db, wanted)
    cost = tokens.count(plain(observations)) + tokens.count("\n".join(card or ()))
    return Known(markdown(observations), card, cost)


def _whom(query: SessionContextQuery, scoped: Scoped) -> str | None:
    """Return who was named to look; a target that knows itself names nobody."""
    named = query.scope is not None or query.peer_perspective is not None
    return scoped.observer if named else None


async def _fit(
    db: Connection,
    named: tuple[str, str],
    budget: int,
    as_of: int,
    *,
    given: bool,
    whom: str | None,
) -> Fitted:
    """Choose a summary, if one is to be given; messages have all the rest.

    What ``whom`` heard nothing of is withheld from it (RS 14 item 18).
    """
    if not given or budget <= 0:
        return fit(budget, None, None)
    if whom is None:
        there = await get_summaries(db, *named, as_of)
    else:
        there = await get_heard_summaries(db, *named, whom, as_of)
    return fit(budget, there.get("short"), there.get("long"))
