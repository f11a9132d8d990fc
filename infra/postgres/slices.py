"""Reads slices of the log: only some types of events, only some shards."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from domain.recorded import Recorded
from infra.postgres.reader import Reader

PAGE: Final = 4_000
"""Most events one read returns."""

SHARDS: Final = (0, 1023)
"""All there are, the last included."""

_READ = """
SELECT position, recorded_at, id, version, shard, stream, tenant, type, meta, data
FROM log.event
WHERE position > $1 AND position <= $2
    AND (type = ANY($3::text[]) AND shard BETWEEN $4 AND $5 OR type = ANY($6::text[]))
ORDER BY position LIMIT $7
"""


class Slice(msgspec.Struct, frozen=True):
    """Events of these types in a range of shards; ``everywhere`` are types in any."""

    types: tuple[str, ...]
    everywhere: tuple[str, ...] = ()
    first: int = SHARDS[0]
    last: int = SHARDS[1]


class Slices:
    """The log, slice by slice."""

    def __init__(self, pool: asyncpg.Pool, reader: Reader) -> None:
        self._pool = pool
        self._reader = reader

    async def read(
        self, wanted: Slice, *, after: int, through: int
    ) -> tuple[Sequence[Recorded], int]:
        """Return events of a slice in order, and the position they reach.

        That is ``through`` once the slice has nothing more up to there.

        Raises:
            Unreadable: an event is damaged.
        """
        rows = await self._pool.fetch(
            _READ,
            after,
            through,
            wanted.types,
            wanted.first,
            wanted.last,
            wanted.everywhere,
            PAGE,
        )
        reached = rows[-1]["position"] if len(rows) == PAGE else through
        return await self._reader.opener.all_of(rows), reached

    async def head(self) -> int:
        """Return the highest position, 0 when the log is empty."""
        return await self._reader.head()

    async def id_at(self, position: int) -> UUID | None:
        """Return the id of the event at a position, None if there is none."""
        return await self._reader.id_at(position)
