"""How far the texts of the log are read for a collection, by whichever process."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Final

import asyncpg

from domain.event import tag_of
from infra.vectors.wanting import reader_name

_READ: Final = """
SELECT p.position, EXISTS (SELECT FROM work.held AS h
    WHERE h.processor = p.processor AND h.state = 'retry') AS retrying
FROM work.progress AS p WHERE p.processor = $1
"""

_MISSING: Final = """
SELECT count(*) FROM (
    SELECT FROM log.event
    WHERE position > $1 AND position <= $2 AND type = ANY($3::text[]) LIMIT $4
) AS e
"""


class Reading:
    """Asks the processors' tables; ``handles`` are the events with texts."""

    def __init__(self, pool: asyncpg.Pool, handles: Sequence[type]) -> None:
        self._pool = pool
        self._tags = [tag_of(each) for each in handles]

    async def of(self, model: str) -> tuple[int, bool]:
        """Return how far the texts were read, and whether any is to be tried again."""
        row = await self._pool.fetchrow(_READ, reader_name(model))
        return (0, False) if row is None else (row["position"], row["retrying"])

    async def missing(self, after: int, through: int, most: int) -> int:
        """Count the texts between two positions, up to ``most`` of them."""
        count: int = await self._pool.fetchval(
            _MISSING, after, through, self._tags, most
        )
        return count

    async def complete_to(self, model: str, position: int, until: float) -> bool:
        """Wait until every text up to there has its vector; False at the bound."""
        while True:
            read, retrying = await self.of(model)
            if not retrying and await self.missing(read, position, 1) == 0:
                return True
            if monotonic() >= until:
                return False
            await asyncio.sleep(0.02)
