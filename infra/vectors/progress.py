"""How far collections of vectors are filled, and when they will be."""

from typing import Final

import asyncpg
import msgspec

from infra.vectors.ledger import CollectionLedger, State
from infra.vectors.opening import reader_name

_THERE: Final = "SELECT to_regclass('work.collection') IS NOT NULL"

_READ: Final = """
SELECT c.position, count(h.*) AS waiting
FROM work.checkpoint AS c LEFT JOIN work.held AS h USING (processor)
WHERE c.processor = $1 GROUP BY c.position
"""


_FORMER: Final = """
SELECT model FROM work.collection WHERE state IN ('former', 'dropped')
"""


class CollectionStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One collection: its model, and how far it is filled if it is being filled.

    ``since`` is the position it serves from. ``position`` is how far its texts were
    read, ``waiting`` how many keys wait to be tried again or are parked, ``rate`` in
    events a second, ``seconds_left`` at that rate; None where nobody knows.
    """

    model: str
    dimensions: int
    state: State
    since: int
    position: int
    waiting: int = 0
    rate: float | None = None
    seconds_left: float | None = None


async def idle_readers(pool: asyncpg.Pool) -> list[str]:
    """Return who read for collections that serve no more, by name."""
    if not await pool.fetchval(_THERE):
        return []
    return [reader_name(row["model"]) for row in await pool.fetch(_FORMER)]


async def collections_standing(
    pool: asyncpg.Pool, head: int
) -> list[CollectionStanding]:
    """Return every collection that is not dropped, the oldest change first."""
    if not await pool.fetchval(_THERE):
        return []
    found = []
    for each in await CollectionLedger(pool).all():
        if each.state == "dropped":
            continue
        row = await pool.fetchrow(_READ, reader_name(each.model))
        position = 0 if row is None else row["position"]
        rate = each.rate if each.state == "filling" else None
        found.append(
            CollectionStanding(
                model=each.model,
                dimensions=each.dimensions,
                state=each.state,
                since=each.since,
                position=position,
                waiting=0 if row is None else row["waiting"],
                rate=rate,
                seconds_left=round((head - position) / rate, 1) if rate else None,
            )
        )
    return found
