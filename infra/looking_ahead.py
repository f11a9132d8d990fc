"""Views as they would be if what is damaged were passed over: to be asked, not kept."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import asyncpg

from domain.recorded import Recorded
from infra.codec.damaged import Damaged
from infra.postgres.checkpoints import load_checkpoints
from infra.postgres.views import connect_views
from projections.projection import Projection

_LOG: Final = logging.getLogger("palimpsest.erasure")

PAGE: Final = 2_000


class Log(Protocol):
    """Reads the log; what is damaged comes as ``Damaged``."""

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]: ...


@asynccontextmanager
async def look_ahead(
    dsn: str, log: Log, projections: Sequence[Projection], head: int
) -> AsyncIterator[asyncpg.Connection]:
    """Fold what live views lack up to a position, lend them, and take all of it back.

    Live views stand before a damaged event and show nothing behind it. Which events
    were passed over is told: what they say is not known to who asks here.
    """
    db = await connect_views(dsn)
    try:
        await db.execute("BEGIN")
        at = await load_checkpoints(db, projections)
        position = min(each.position for each in at.values())
        unknown: list[int] = []
        while position < head:
            limit = min(PAGE, head - position)
            page = await log.read_log(after=position, limit=limit)
            if not page:
                break
            unknown += [e.position for e in page if isinstance(e.event, Damaged)]
            for each in projections:
                handled, since = frozenset(each.handles), at[each.name].position
                share = [
                    e for e in page if type(e.event) in handled and e.position > since
                ]
                if share:
                    await each.apply(db, share)
            position = page[-1].position
        if unknown:
            told = ", ".join(map(str, unknown))
            _LOG.warning("what these damaged positions tell is not known: %s", told)
        yield db
    finally:
        db.terminate()
