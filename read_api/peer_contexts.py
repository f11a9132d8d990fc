"""All a peer needs to know of another before it speaks (E16)."""

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from pydantic import Field

from projections.ports import Database, QueryEmbedder, TokenCounter, Views
from projections.representation import MOST, Wanted, represent
from projections.representation_text import markdown
from read_api.asking import Named, Text, check_length, probe_of
from read_api.cards import card_of
from read_api.moment import ReadQuery, answer, reached
from read_api.ports import Injected, Parse
from read_api.scopes import refuse_reserved


class RecallQuery(ReadQuery):
    """How a representation is chosen, as a query string says it (HC 2.0)."""

    search_query: Text | None = None
    search_top_k: int | None = Field(default=None, ge=1, le=MOST)
    search_max_distance: float | None = Field(default=None, ge=0, le=1)
    include_most_frequent: bool = False
    max_conclusions: int | None = Field(default=None, ge=1, le=MOST)


class PeerContextQuery(RecallQuery):
    """The same, of a target; what was derived most often is included."""

    target: Named | None = None
    include_most_frequent: bool = True


class PeerContext(msgspec.Struct, frozen=True):
    """What a peer holds of its target, in full and in short."""

    peer_id: str
    target_id: str
    representation: str | None
    peer_card: list[str] | None


@get(
    "/v3/workspaces/{workspace:str}/peers/{peer:str}/context",
    opt={"query": PeerContextQuery},
)
async def get_peer_context(
    workspace: FromPath[str],
    peer: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
    query_embedder: Injected[QueryEmbedder],
    tokens: Injected[TokenCounter],
) -> Response[PeerContext]:
    """Return representation and card of a target, or of the peer itself (E16)."""
    query = parse.query(PeerContextQuery)
    moment = await reached(views, query, searched=bool(query.search_query))
    await refuse_reserved(database, workspace, peer, query.target, as_of=moment.as_of)
    target = peer if query.target is None else query.target
    asked = query.search_query or ""
    check_length(asked, tokens)
    wanted = Wanted(
        tenant=workspace,
        observer=peer,
        observed=target,
        budget=query.max_conclusions or MOST,
        query=asked or None,
        probe=await probe_of(asked, query_embedder),
        top=query.search_top_k,
        farthest=query.search_max_distance,
        frequent=query.include_most_frequent,
        as_of=moment.as_of,
    )
    async with database.acquire() as db:
        card = await card_of(db, workspace, peer, target, moment.as_of)
        text = markdown(await represent(db, wanted))
    return answer(PeerContext(peer, target, text, card), moment)
