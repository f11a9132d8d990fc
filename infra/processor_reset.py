"""Sets a processor back in the log, after an older log was put in place.

What it does again has the ids it had: events that are there already are not recorded a
second time (architecture section 4).
"""

from typing import Final
from uuid import UUID

import asyncpg
import msgspec

_STANDS: Final = """
SELECT c.position, c.event = e.id AS fits,
    (SELECT coalesce(max(position), 0) FROM log.event) AS head
FROM work.checkpoint AS c LEFT JOIN log.event AS e ON e.position = c.position
WHERE c.processor = $1 FOR UPDATE OF c
"""

_MOVE: Final = """
UPDATE work.checkpoint SET position = $2,
    event = (SELECT id FROM log.event WHERE position = $2)
WHERE processor = $1 RETURNING event
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

    Without one: behind the head of a log that ends before where it stood; from the
    beginning where the log has another event there; where it stands if it fits. It is
    never moved forward. No server may run: one that does remembers where it was.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(_STANDS, processor)
        if row is None:
            return None
        stood, head = row["position"], row["head"]
        if to is None:
            fits = row["fits"] or stood == 0
            to = stood if fits else head if stood > head else 0
        to = min(to, stood, head)
        event = await connection.fetchval(_MOVE, processor, to)
        await connection.execute(_FORGET, processor, to)
    return Reset(processor=processor, before=stood, position=to, event=event)
