"""The log for who is fed by shards: parts of it, and rows that came another way.

They go on past what is damaged: that comes as ``Damaged``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from domain.recorded import Recorded
from infra.postgres.reader import PAGE, Reader
from infra.postgres.stored_row import StoredRow
from infra.postgres.tail import Tail

_IDS = "SELECT position, id FROM log.event WHERE position = ANY ($1::bigint[])"
_AT = "SELECT id, recorded_at FROM log.event WHERE position = $1"


class LogByShards:
    """Reads the log by position and shard, and opens rows of it."""

    def __init__(self, pool: asyncpg.Pool, reader: Reader, tail: Tail) -> None:
        self._pool = pool
        self._reader = reader
        self._tail = tail

    async def newest(self) -> int:
        """Return the highest position there is, 0 when the log is empty."""
        head = await self._reader.head()
        self._tail.advance(head)
        return head

    def heard(self, position: int) -> None:
        """Note that the log goes at least so far, whoever appended to it."""
        self._tail.advance(position)

    async def ids_at(self, positions: Sequence[int]) -> Mapping[int, UUID]:
        """Return the ids of the events at these positions, those that exist."""
        rows = await self._pool.fetch(_IDS, list(positions)) if positions else []
        return {row["position"]: row["id"] for row in rows}

    async def event_at(self, position: int) -> tuple[UUID, datetime] | None:
        """Return id and time of an event, None where there is none."""
        row = await self._pool.fetchrow(_AT, position)
        return None if row is None else (row["id"], row["recorded_at"])

    async def open_rows(self, rows: Sequence[StoredRow]) -> list[Recorded]:
        """Open copies of rows, wherever they were read, as they are."""
        return await self._reader.opener.as_stored(rows)

    async def read_at(self, positions: Sequence[int]) -> list[Recorded]:
        """Return the events at these positions, those that exist."""
        return await self._reader.read_at(positions)

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]:
        """Return what follows any position."""
        return await self._reader.read_each(after=after, limit=limit)

    async def read_rows(self, *, after: int, limit: int) -> list[StoredRow]:
        """Return the same as it is stored."""
        return await self._reader.read_rows(after=after, limit=limit)

    async def read_shards(
        self, shards: range, *, after: int, through: int, limit: int
    ) -> tuple[Sequence[Recorded], int]:
        """Return events of these shards, and the position up to which they are all.

        That is ``through`` at most, and no further than one look at the log goes.
        """
        end = min(through, after + PAGE)
        found = await self._reader.read_shards(
            after, end, shards.start, shards.stop, limit
        )
        return found, end if len(found) < limit else found[-1].position
