"""Peers of a workspace and of a session, listed (E08, E26)."""

from typing import Literal

from litestar import Response, get, post
from litestar.params import FromPath

from projections.as_of import holding
from projections.condition import Condition, always, equals, every, negated
from projections.ports import Database, Views
from read_api.answers import Peer, peer_of
from read_api.filters import compile_filter
from read_api.moment import answer, reached
from read_api.pages import (
    ListBody,
    Listing,
    Page,
    PageQuery,
    ReversiblePageQuery,
    page_of,
    read_page,
    table,
)
from read_api.ports import Injected, Parse
from read_api.resources import PEER_FILTERS, PEERS


class PeerListBody(ListBody):
    """Which peers: ordinary ones unless ``kind`` says otherwise."""

    kind: Literal["scope", "all"] | None = None


_MEMBERS = Listing(
    PEERS.columns,
    table("member AS j JOIN peer AS p ON p.tenant = j.tenant AND p.peer = j.peer"),
    ("j.joined_at", "p.peer"),
)


def _scope(_bind: object) -> str:
    return "p.is_scope"


@post(
    "/v3/workspaces/{workspace:str}/peers/list",
    status_code=200,
    opt={"query": ReversiblePageQuery, "body": PeerListBody},
)
async def list_peers(
    workspace: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Page[Peer]]:
    """List a workspace's peers by age (E08)."""
    query, body = await parse.query_and_optional_body(ReversiblePageQuery, PeerListBody)
    wanted = compile_filter(body.filters if body else None, PEER_FILTERS)
    kind = _kind(body.kind if body else None)
    moment = await reached(views, query)
    there = holding(moment.as_of, "p")
    where = every(equals("p.tenant", workspace), there, kind, wanted)
    async with database.acquire() as db:
        rows, total = await read_page(db, PEERS, where, query, descending=query.reverse)
    items = [peer_of(row) for row in rows]
    return answer(page_of(items, total, query), moment)


@get(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/peers",
    opt={"query": PageQuery},
)
async def list_session_peers(
    workspace: FromPath[str],
    session: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Page[Peer]]:
    """List a session's active members; a scope is never one (E26)."""
    query = parse.query(PageQuery)
    moment = await reached(views, query)
    where = every(
        equals("j.tenant", workspace),
        equals("j.session", session),
        holding(moment.as_of, "j"),
        lambda _: "j.active",
        holding(moment.as_of, "p"),
    )
    async with database.acquire() as db:
        rows, total = await read_page(db, _MEMBERS, where, query)
    items = [peer_of(row) for row in rows]
    return answer(page_of(items, total, query), moment)


def _kind(kind: str | None) -> Condition:
    match kind:
        case "all":
            return always
        case "scope":
            return _scope
        case _:
            return negated(_scope)
