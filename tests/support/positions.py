"""How far each processor came, as its table says."""

from collections.abc import Sequence

import asyncpg
import msgspec


class ProcessorPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A processor's checkpoint and its keys that wait.

    ``oldest_waiting`` is the lowest position a waiting key stands at, None when
    all keys flow: up to the lower of the two everything is done.
    """

    processor: str
    position: int
    retrying: int
    parked: int
    oldest_waiting: int | None


_POSITIONS = """
SELECT c.processor, c.position,
       count(*) FILTER (WHERE h.state = 'retry') AS retrying,
       count(*) FILTER (WHERE h.state = 'parked') AS parked,
       min(h.position) AS oldest_waiting
FROM work.progress c LEFT JOIN work.held h USING (processor)
GROUP BY c.processor, c.position ORDER BY c.processor
"""


async def processor_positions(pool: asyncpg.Pool) -> Sequence[ProcessorPosition]:
    """Return where every processor stands that ever ran, by name."""
    rows = await pool.fetch(_POSITIONS)
    return [ProcessorPosition(**dict(row)) for row in rows]
