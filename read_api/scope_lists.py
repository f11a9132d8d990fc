"""Scopes, the sessions they hold and what those brought (E42, E43, E46, E47)."""

from datetime import UTC, datetime

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from domain.errors import NotFound
from domain.names import SCOPE_PREFIX
from domain.scope import peer_of_scope
from projections.as_of import holding
from projections.condition import Bind, equals, every
from projections.ports import Connection, Database, Row, Views
from projections.scope_sessions import list_backfills
from read_api.answers import Json, Session, json_of, session_of
from read_api.moment import ReadQuery, answer, reached
from read_api.pages import (
    Listing,
    Page,
    ReversiblePageQuery,
    page_of,
    read_page,
    table,
)
from read_api.ports import Injected, Parse
from read_api.resources import PEERS, SESSIONS

_HELD = Listing(
    SESSIONS.columns,
    table(
        "scope_session AS p JOIN session AS s"
        " ON s.tenant = p.tenant AND s.session = p.session"
    ),
    ("p.joined_at", "p.session"),
)


class Scope(msgspec.Struct, frozen=True):
    """A scope; its id has no prefix."""

    id: str
    metadata: Json
    created_at: datetime


class BackfillState(msgspec.Struct, frozen=True):
    """What a session brought into the scope; the fold that brings it never waits."""

    state: str
    updated_at: str
    docs_copied: int


class ScopeStatus(msgspec.Struct, frozen=True):
    """The sessions that had something to bring, by id; ``{}`` when none ever had."""

    backfill_status: dict[str, BackfillState]


@post(
    "/v3/workspaces/{workspace:str}/scopes/list",
    status_code=200,
    opt={"query": ReversiblePageQuery},
)
async def list_scopes(
    workspace: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Page[Scope]]:
    """List a workspace's scopes by age; a body says nothing (E42)."""
    query = parse.query(ReversiblePageQuery)
    moment = await reached(views, query)
    where = every(
        equals("p.tenant", workspace),
        holding(moment.as_of, "p"),
        lambda _: "p.is_scope",
    )
    async with database.acquire() as db:
        rows, total = await read_page(db, PEERS, where, query, descending=query.reverse)
    return answer(page_of([_scope(row) for row in rows], total, query), moment)


@get(
    "/v3/workspaces/{workspace:str}/scopes/{scope_id:str}",
    opt={"query": ReadQuery},
)
async def get_scope(
    workspace: FromPath[str],
    scope_id: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Scope]:
    """Return one scope (E43)."""
    moment = await reached(views, parse.query(ReadQuery))
    async with database.acquire() as db:
        row = await _found(db, workspace, scope_id, moment.as_of)
    return answer(_scope(row), moment)


@post(
    "/v3/workspaces/{workspace:str}/scopes/{scope_id:str}/sessions/list",
    status_code=200,
    opt={"query": ReversiblePageQuery},
)
async def list_scope_sessions(
    workspace: FromPath[str],
    scope_id: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Page[Session]]:
    """List a scope's sessions by the time they came; a body says nothing (E46)."""
    query = parse.query(ReversiblePageQuery)
    moment = await reached(views, query)
    where = every(
        equals("p.tenant", workspace),
        equals("p.scope", scope_id),
        holding(moment.as_of, "p"),
        holding(moment.as_of, "s"),
        lambda _: "p.active AND s.is_active",
    )
    async with database.acquire() as db:
        await _found(db, workspace, scope_id, moment.as_of)
        rows, total = await read_page(db, _HELD, where, query, descending=query.reverse)
    return answer(page_of([session_of(row) for row in rows], total, query), moment)


@get(
    "/v3/workspaces/{workspace:str}/scopes/{scope_id:str}/status",
    opt={"query": ReadQuery},
)
async def get_scope_status(
    workspace: FromPath[str],
    scope_id: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[ScopeStatus]:
    """Tell what each session brought into a scope (E47)."""
    moment = await reached(views, parse.query(ReadQuery))
    async with database.acquire() as db:
        await _found(db, workspace, scope_id, moment.as_of)
        backfills = await list_backfills(db, workspace, scope_id, moment.as_of)
    status = {
        each.session: BackfillState(
            "completed", each.at.astimezone(UTC).isoformat(), each.copied
        )
        for each in backfills
    }
    return answer(ScopeStatus(status), moment)


async def _found(db: Connection, workspace: str, scope: str, as_of: int) -> Row:
    """Return a scope's row, as it stood at a position.

    Raises:
        NotFound: no scope has this name, whoever else may.
    """
    bind = Bind(workspace, peer_of_scope(scope))
    row = await db.fetchrow(
        f"SELECT {PEERS.columns} FROM {PEERS.rows(bind)} WHERE p.tenant = $1"  # noqa: S608  every value is bound
        f" AND p.peer = $2 AND {holding(as_of, 'p')(bind)} AND p.is_scope",
        *bind.values,
    )
    if row is None:
        raise NotFound(f"Scope {scope} not found in workspace {workspace}")
    return row


def _scope(row: Row) -> Scope:
    return Scope(
        id=row["peer"].removeprefix(SCOPE_PREFIX),
        metadata=json_of(row["metadata"]),
        created_at=row["created_at"],
    )
