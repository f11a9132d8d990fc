"""How far collections of vectors are filled, and when they will be."""

from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from infra.vectors.ledger import CollectionLedger, State
from infra.vectors.wanting import asked_for_by, newest_of, reader_name

_THERE: Final = "SELECT to_regclass('work.collection') IS NOT NULL"

_READ: Final = """
SELECT c.position, count(h.*) AS waiting
FROM work.progress AS c LEFT JOIN work.held AS h USING (processor)
WHERE c.processor = $1 GROUP BY c.position
"""


_FORMER: Final = """
SELECT model FROM work.collection WHERE state IN ('former', 'dropped')
"""


class CollectionStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One collection: its model, and how far it is filled if it is being filled.

    ``since`` is the position it serves from. ``position`` is how far its texts were
    read, ``waiting`` how many keys wait to be tried again or are parked, ``rate`` in
    events a second, ``seconds_left`` at that rate; None where nobody knows. Of the one
    that is ``wanted`` by all, ``wanted_by`` is the role and host that asked for it last
    and ``set_in`` how many processes that run are set to it.
    """

    model: str
    dimensions: int
    state: State
    since: int
    position: int
    waiting: int = 0
    rate: float | None = None
    seconds_left: float | None = None
    wanted: bool = False
    wanted_by: str | None = None
    wanted_at: datetime | None = None
    set_in: int = 0


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
    known, found = await CollectionLedger(pool).all(), []
    for each in known:
        if each.state == "dropped":
            continue
        row = await pool.fetchrow(_READ, reader_name(each.model))
        position = 0 if row is None else row["position"]
        rate = each.rate if each.state == "filling" else None
        is_wanted = each == newest_of(known)
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
                wanted=is_wanted,
                wanted_by=each.wanted_by,
                wanted_at=each.wanted_at,
                set_in=await asked_for_by(pool, each) if is_wanted else 0,
            )
        )
    return found


def wanted_by(role: str | None, at: datetime | None) -> str:
    """Say who asked for a model last, and when."""
    since = "" if at is None else f" since {at.isoformat(timespec='seconds')}"
    return f"by {role or 'who is not on record'}{since}"
