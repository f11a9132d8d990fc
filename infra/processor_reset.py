"""Sets a processor back in the log, after an older log was put in place.

What it does again has the ids it had: events that are there already are not recorded a
second time (architecture section 4).
"""

from typing import Final
from uuid import UUID

import asyncpg
import msgspec

_STANDS: Final = """
SELECT max(c.position) AS position,
    bool_and(c.position = 0 OR coalesce(c.event = e.id, false)) AS fits,
    (SELECT coalesce(max(position), 0) FROM log.event) AS head
FROM work.stand AS c LEFT JOIN log.event AS e ON e.position = c.position
WHERE c.processor = $1
"""

_MOVE: Final = """
WITH at AS (
    SELECT (SELECT id FROM log.event WHERE position = $2) AS event
), whole AS (
    UPDATE work.checkpoint AS c SET position = $2, event = at.event FROM at
    WHERE c.processor = $1
), ranges AS (
    UPDATE work.shard_range AS r SET position = $2, event = at.event,
        topic = NULL, part = NULL, next = NULL
    FROM at WHERE r.processor = $1 AND r.position > $2
)
SELECT event FROM at
"""

_FORGET: Final = "DELETE FROM work.held WHERE processor = $1 AND position > $2"


class Reset(msgspec.Struct, frozen=True, kw_only=True):
    """Where a processor stood and where it goes on; keys it held further are free."""

    processor: str
    before: int
    position: int
    event: UUID | None


async def reset_processor(
    pool: asyncpg.Pool, processor: str, to: int | None = None
) -> Reset | None:
    """Let a processor go on behind a position; None if it never ran.

    Fed by ranges of shards, each that is further goes back there.

    Without one: behind the head of a log that ends before where it stood; from the
    beginning where the log has another event there; where it stands if it fits. It is
    never moved forward. No server may run: one that does remembers where it was.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(_STANDS, processor)
        if row["position"] is None:
            return None
        stood, head = row["position"], row["head"]
        if to is None:
            to = stood if row["fits"] else head if stood > head else 0
        to = min(to, stood, head)
        event = await connection.fetchval(_MOVE, processor, to)
        await connection.execute(_FORGET, processor, to)
    return Reset(processor=processor, before=stood, position=to, event=event)
