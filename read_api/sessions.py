"""Sessions of a workspace and of a peer; a session's summaries (E18, E11, E30)."""

from collections.abc import Callable
from functools import partial

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from domain.names import SCOPE_PREFIX, is_reserved
from projections.as_of import holding
from projections.condition import Bind, Condition, equals, every
from projections.ports import Database, Views
from projections.summaries import get_summaries
from read_api.answers import Session, Summary, session_of, summary_of
from read_api.filters import compile_filter
from read_api.moment import ReadQuery, answer, reached
from read_api.pages import ListBody, Page, ReversiblePageQuery, page_of, read_page
from read_api.ports import Injected, Parse
from read_api.resources import SESSION_FILTERS, SESSIONS


class SessionSummaries(msgspec.Struct, frozen=True):
    """The newest summary of each kind, null where there is none."""

    id: str
    short_summary: Summary | None
    long_summary: Summary | None


@post(
    "/v3/workspaces/{workspace:str}/sessions/list",
    status_code=200,
    opt={"query": ReversiblePageQuery, "body": ListBody},
)
async def list_sessions(
    workspace: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Page[Session]]:
    """List a workspace's active sessions by age (E18)."""
    return await _list(workspace, parse, views, database, lambda _: _is_active)


@post(
    "/v3/workspaces/{workspace:str}/peers/{peer:str}/sessions",
    status_code=200,
    opt={"query": ReversiblePageQuery, "body": ListBody},
)
async def list_peer_sessions(
    workspace: FromPath[str],
    peer: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Page[Session]]:
    """List the sessions a peer is or was a member of, also inactive ones (E11).

    Those of a scope's hidden peer are the ones it holds or held.
    """
    which = partial(_held_by if is_reserved(peer) else _joined_by, peer)
    return await _list(workspace, parse, views, database, which)


@get(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/summaries",
    opt={"query": ReadQuery},
)
async def get_session_summaries(
    workspace: FromPath[str],
    session: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[SessionSummaries]:
    """Return the newest short and long summary (E30)."""
    moment = await reached(views, parse.query(ReadQuery))
    async with database.acquire() as db:
        there = await get_summaries(db, workspace, session, moment.as_of)
    short, long = there.get("short"), there.get("long")
    content = SessionSummaries(
        id=session,
        short_summary=summary_of(short) if short else None,
        long_summary=summary_of(long) if long else None,
    )
    return answer(content, moment)


async def _list(
    workspace: str,
    parse: Parse,
    views: Views,
    database: Database,
    which: Callable[[int], Condition],
) -> Response[Page[Session]]:
    """List those that ``which`` holds for at the moment asked."""
    query, body = await parse.query_and_optional_body(ReversiblePageQuery, ListBody)
    wanted = compile_filter(body.filters if body else None, SESSION_FILTERS)
    moment = await reached(views, query)
    where = every(
        equals("s.tenant", workspace),
        holding(moment.as_of, "s"),
        which(moment.as_of),
        wanted,
    )
    async with database.acquire() as db:
        rows, total = await read_page(
            db, SESSIONS, where, query, descending=query.reverse
        )
    items = [session_of(row) for row in rows]
    return answer(page_of(items, total, query), moment)


def _is_active(_bind: Bind) -> str:
    return "s.is_active"


def _joined_by(peer: str, as_of: int) -> Condition:
    return lambda bind: (
        "EXISTS (SELECT FROM member AS j WHERE j.tenant = s.tenant"
        f" AND j.session = s.session AND j.peer = {bind(peer)}"
        f" AND {holding(as_of, 'j')(bind)})"
    )


def _held_by(peer: str, as_of: int) -> Condition:
    """Hold for a scope's sessions, or those of a peer of long ago with such a name."""
    scope = peer.removeprefix(SCOPE_PREFIX)
    return lambda bind: (
        "(EXISTS (SELECT FROM scope_session AS p WHERE p.tenant = s.tenant"
        f" AND p.session = s.session AND p.scope = {bind(scope)}"
        f" AND {holding(as_of, 'p')(bind)}) OR {_joined_by(peer, as_of)(bind)})"
    )
