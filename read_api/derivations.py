"""What could not be derived: it fails, is parked, passed over, or tried again."""

from datetime import datetime

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from projections.condition import equals, every
from projections.derivation_ranges import STUCK, Stuck, stuck, stuck_of
from projections.ports import Database, Views
from read_api.asking import Named
from read_api.moment import answer, reached
from read_api.pages import Listing, Page, PageQuery, page_of, read_page, table
from read_api.ports import Injected, Parse

_RANGES = Listing(
    STUCK,
    table("derivation_range AS r"),
    ("r.since", "r.session", "r.first_seq"),
)


class DerivationQuery(PageQuery):
    """Of which session; an empty text is no restriction."""

    session_id: Named | None = None


class StuckDerivation(msgspec.Struct, frozen=True, kw_only=True):
    """Messages ``first`` to ``last`` of a session that are not derived as they should.

    ``state`` is ``failing`` (tried again at ``retry_at``), ``parked`` (not tried by
    itself), ``passed-over`` (its answers were of no use; done as far as the queue is
    concerned) or ``redriven``. ``error`` is a word, never content.
    """

    session_id: str
    first: int
    last: int
    state: str
    attempt: int
    error: str | None
    since: datetime
    retry_at: datetime | None


@get(
    "/v3/workspaces/{workspace:str}/derivations",
    opt={"query": DerivationQuery},
    summary="List What Could Not Be Derived",
)
async def list_derivations(
    workspace: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Page[StuckDerivation]]:
    """List messages whose derivation failed or was passed over, the oldest first."""
    query = parse.query(DerivationQuery)
    moment = await reached(views, query)
    parts = [equals("r.tenant", workspace), stuck(moment.as_of)]
    if query.session_id:
        parts.append(equals("r.session", query.session_id))
    async with database.acquire() as db:
        rows, total = await read_page(db, _RANGES, every(*parts), query)
    told = [_of(stuck_of(row)) for row in rows]
    return answer(page_of(told, total, query), moment)


def _of(found: Stuck) -> StuckDerivation:
    return StuckDerivation(
        session_id=found.session,
        first=found.first_seq,
        last=found.last_seq,
        state=found.state,
        attempt=found.attempt,
        error=found.error,
        since=found.since,
        retry_at=found.retry_at,
    )
