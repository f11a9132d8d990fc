"""The log as it is stored, page by page, for who copies it and opens nothing."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

import asyncpg

from infra.postgres.stored_row import COLUMNS, StoredRow
from infra.postgres.tail import Tail

# The sum is of what rows take in memory, known without reading what is kept aside.
_PAGE: Final = f"""
SELECT {COLUMNS} FROM (
    SELECT {COLUMNS}, sum(octet_length(data)) OVER (ORDER BY position) AS so_far
    FROM log.event WHERE position > $1 ORDER BY position LIMIT $2
) AS following
WHERE so_far - octet_length(data) < $3 ORDER BY position
"""  # noqa: S608  constants
_HEAD: Final = "SELECT coalesce(max(position), 0) FROM log.event"
_IDS: Final = "SELECT position, id FROM log.event WHERE position = ANY ($1::bigint[])"


class StoredRows:
    """Reads rows by position, and waits for more; close it when done."""

    def __init__(self, pool: asyncpg.Pool, tail: Tail) -> None:
        self._pool = pool
        self._tail = tail
        self._follower = tail.follow(keeps=False)

    def close(self) -> None:
        self._tail.leave(self._follower)

    async def page(self, after: int, *, events: int, size: int) -> list[StoredRow]:
        """Return what follows a position: at most ``events``, about ``size`` bytes.

        The event that goes beyond ``size`` is the last one: there is always one.
        """
        rows = await self._pool.fetch(_PAGE, after, events, size)
        return [StoredRow(*row) for row in rows]

    async def head(self) -> int:
        """Return the highest position, 0 when the log is empty."""
        head: int = await self._pool.fetchval(_HEAD)
        return head

    async def ids(self, positions: Collection[int]) -> dict[int, UUID]:
        """Return the ids of the events at these positions, as far as there are any."""
        rows = await self._pool.fetch(_IDS, list(positions))
        return {row["position"]: row["id"] for row in rows}

    async def wait_past(self, position: int, timeout: float) -> None:  # noqa: ASYNC109  the bound is the point
        """Wait until the log goes beyond a position; at the bound it is asked."""
        await self._tail.wait_past(self._follower, position, timeout, self.head)
