"""A peer card, read (E14)."""

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from domain.errors import NotFound
from projections.as_of import NOW, holding
from projections.cards import get_card as find_card
from projections.condition import Bind
from projections.ports import Connection, Database, Views
from read_api.asking import Named
from read_api.moment import ReadQuery, answer, reached
from read_api.ports import Injected, Parse


class CardQuery(ReadQuery):
    """Whose card; without a target, the peer's own."""

    target: Named | None = None


class PeerCard(msgspec.Struct, frozen=True):
    """The entries in their order, null when it was never set."""

    peer_card: list[str] | None


@get("/v3/workspaces/{workspace:str}/peers/{peer:str}/card", opt={"query": CardQuery})
async def get_card(
    workspace: FromPath[str],
    peer: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[PeerCard]:
    """Return what a peer holds of another in short (E14)."""
    query = parse.query(CardQuery)
    moment = await reached(views, query)
    target = peer if query.target is None else query.target
    async with database.acquire() as db:
        card = await card_of(db, workspace, peer, target, moment.as_of)
    return answer(PeerCard(card), moment)


async def card_of(
    db: Connection, workspace: str, observer: str, observed: str, as_of: int = NOW
) -> list[str] | None:
    """Return a card; the observer must exist then, the observed need not.

    Raises:
        NotFound
    """
    bind = Bind(workspace, observer)
    known = await db.fetchval(
        "SELECT EXISTS (SELECT FROM peer WHERE tenant = $1 AND peer = $2"  # noqa: S608  every value is bound
        f" AND {holding(as_of)(bind)})",
        *bind.values,
    )
    if not known:
        raise NotFound(f"Peer {observer} not found in workspace {workspace}")
    return await find_card(db, workspace, observer, observed, as_of)
