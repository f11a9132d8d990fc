"""Messages, searched in a workspace, of a peer and in a session (E05, E17, E31)."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec
from litestar import Response, post
from litestar.params import FromPath
from pydantic import BaseModel, Field

from domain.errors import Invalid
from projections.as_of import holding
from projections.condition import Bind, Condition, always, equals, every
from projections.members import get_presence
from projections.message_rows import message_rows
from projections.message_search import Question, search_messages
from projections.ports import (
    Connection,
    Database,
    QueryEmbedder,
    Reranker,
    TokenCounter,
    Views,
)
from read_api.answers import MESSAGE, Message, message_of
from read_api.asking import Text, check_length, probe_of
from read_api.filters import compile_filter
from read_api.moment import Moment, ReadQuery, answer, reached
from read_api.ports import Injected, Parse
from read_api.resources import MESSAGE_FILTERS
from read_api.scopes import ScopeName, check_scopes

_PERSPECTIVE = "peer_perspective"


class SearchBody(BaseModel):
    """What is searched for; an empty query is legal."""

    query: Text
    filters: dict[str, Any] | None = None
    limit: int = Field(default=10, ge=1, le=100)


class WorkspaceSearchBody(SearchBody):
    """The same, and the scope whose sessions are meant."""

    scope: ScopeName | None = None


@post(
    "/v3/workspaces/{workspace:str}/search",
    status_code=200,
    opt={"query": ReadQuery, "body": WorkspaceSearchBody},
)
async def search_workspace(
    workspace: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
    message_embedder: Injected[QueryEmbedder],
    tokens: Injected[TokenCounter],
    reranker: Injected[Reranker],
) -> Response[list[Message]]:
    """Search all messages of a workspace (E05)."""
    query, body = await parse.query_and_body(ReadQuery, WorkspaceSearchBody)
    if body.scope is not None and "session_id" in (body.filters or {}):
        raise Invalid("`scope` and a 'session_id' filter are mutually exclusive")
    moment = await reached(views, query, searched=bool(body.query))
    where = _narrowed(body.filters, "workspace_id")
    if body.scope is not None:
        async with database.acquire() as db:
            await check_scopes(db, workspace, [body.scope], moment.as_of)
        where = every(_held_by(body.scope, moment.as_of), where)
    check_length(body.query, tokens)
    question = Question(
        tenant=workspace,
        query=body.query,
        limit=body.limit,
        probe=await probe_of(body.query, message_embedder),
        where=where,
    )
    found, told = await _found((database, reranker), question, body.filters, moment)
    return answer(found, moment, told)


@post(
    "/v3/workspaces/{workspace:str}/peers/{peer:str}/search",
    status_code=200,
    opt={"query": ReadQuery, "body": SearchBody},
)
async def search_peer(  # noqa: PLR0913, PLR0917  injected by name
    workspace: FromPath[str],
    peer: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
    message_embedder: Injected[QueryEmbedder],
    tokens: Injected[TokenCounter],
    reranker: Injected[Reranker],
) -> Response[list[Message]]:
    """Search the messages a peer wrote (E17)."""
    query, body = await parse.query_and_body(ReadQuery, SearchBody)
    check_length(body.query, tokens)
    question = Question(
        tenant=workspace,
        query=body.query,
        limit=body.limit,
        probe=await probe_of(body.query, message_embedder),
        where=every(
            equals("m.peer", peer),
            _narrowed(body.filters, "workspace_id", "peer_id"),
        ),
    )
    moment = await reached(views, query, searched=bool(body.query))
    found, told = await _found((database, reranker), question, body.filters, moment)
    return answer(found, moment, told)


@post(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/search",
    status_code=200,
    opt={"query": ReadQuery, "body": SearchBody},
)
async def search_session(  # noqa: PLR0913, PLR0917  injected by name
    workspace: FromPath[str],
    session: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
    message_embedder: Injected[QueryEmbedder],
    tokens: Injected[TokenCounter],
    reranker: Injected[Reranker],
) -> Response[list[Message]]:
    """Search the messages of a session (E31)."""
    query, body = await parse.query_and_body(ReadQuery, SearchBody)
    check_length(body.query, tokens)
    question = Question(
        tenant=workspace,
        query=body.query,
        limit=body.limit,
        probe=await probe_of(body.query, message_embedder),
        session=session,
        where=_narrowed(body.filters, "workspace_id", "session_id"),
    )
    moment = await reached(views, query, searched=bool(body.query))
    found, told = await _found((database, reranker), question, body.filters, moment)
    return answer(found, moment, told)


async def _found(
    asked: tuple[Database, Reranker],
    question: Question,
    filters: Mapping[str, Any] | None,
    moment: Moment,
) -> tuple[list[Message], dict[str, str]]:
    """Return the messages in the order they were ranked, and what is told of that.

    Where there is a reranker, it reads the best of them, with no connection held.
    """
    database, reranker = asked
    most = question.limit
    reads = reranker.depth if question.query.strip() else 0
    async with database.acquire() as db:
        seen = await _seen_by(db, question.tenant, filters, moment.as_of)
        question = msgspec.structs.replace(
            question,
            where=every(question.where, seen),
            as_of=moment.as_of,
            limit=max(most, reads),
        )
        found = await _messages(db, question)
    if not reads or not found:
        return found[:most], {}
    scores = await reranker.rerank(
        question.query, [_read(each) for each in found[:reads]]
    )
    if scores is None:
        return found[:most], {"x-reranked": "false"}
    order = sorted(range(len(scores)), key=lambda n: -scores[n])
    best = [found[n] for n in order] + found[reads:]
    return best[:most], {"x-reranked": "true"}


def _read(message: Message) -> str:
    """Return what was said, and by whom, of a message as it is sent."""
    said = msgspec.json.decode(cast("msgspec.Raw", message), type=_Said)
    return f"{said.peer_id}: {said.content}"


class _Said(msgspec.Struct, frozen=True):
    peer_id: str
    content: str


async def _messages(db: Connection, question: Question) -> list[Message]:
    ids = [scored.id for scored in await search_messages(db, question)]
    if not ids:
        return []
    bind = Bind(question.tenant, ids)
    rows = await db.fetch(
        f"SELECT {MESSAGE} FROM {message_rows(question.as_of)(bind)}"  # noqa: S608  every value is bound
        " WHERE m.tenant = $1 AND m.id = ANY($2)",
        *bind.values,
    )
    by_id = {row["id"]: message_of(row) for row in rows}
    return [by_id[each] for each in ids if each in by_id]


def _narrowed(filters: Mapping[str, Any] | None, *imposed: str) -> Condition:
    """Compile a search's filters; what the route imposes replaces the caller's own."""
    imposed = (*imposed, _PERSPECTIVE)  # a window, looked up when it is searched
    tree = {key: value for key, value in (filters or {}).items() if key not in imposed}
    return compile_filter(tree, MESSAGE_FILTERS)


def _held_by(scope: str, as_of: int) -> Condition:
    """Hold for messages of the sessions a scope holds."""
    return lambda bind: (
        "m.session IN (SELECT p.session FROM scope_session AS p"  # noqa: S608  every value is bound
        f" WHERE p.tenant = m.tenant AND p.scope = {bind(scope)}"
        f" AND p.active AND {holding(as_of, 'p')(bind)})"
    )


async def _seen_by(
    db: Connection, tenant: str, filters: Mapping[str, Any] | None, as_of: int
) -> Condition:
    """Hold for what was said while the peer was a member, if one is named (HC 3.8)."""
    if not filters or _PERSPECTIVE not in filters:
        return always
    peer = filters[_PERSPECTIVE]
    if not isinstance(peer, str) or "\x00" in peer:
        return lambda _: "FALSE"
    there = await get_presence(db, tenant, peer, as_of)

    def write(bind: Bind) -> str:
        sessions = bind([each.session for each in there])
        since = bind([each.since for each in there])
        until = bind([each.until for each in there])
        return (
            f"EXISTS (SELECT FROM unnest({sessions}::text[], {since}::timestamptz[],"
            f" {until}::timestamptz[]) AS j(session, since, until)"
            " WHERE j.session = m.session AND j.since <= m.created_at"
            " AND (j.until IS NULL OR m.created_at <= j.until))"
        )

    return write
