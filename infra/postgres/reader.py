"""Reads the log: by position, by stream, by command."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from commands.moved_streams import MovedStreams
from commands.ports import Appended, SeenCommand
from domain.recorded import Recorded
from infra.postgres.data_keys import DataKeys
from infra.postgres.mapper import StructMapper
from infra.postgres.opener import Opener
from infra.postgres.stored_row import COLUMNS, StoredRow

PAGE: Final = 2_000
"""Most events one read by position returns."""

_COLUMNS = f"SELECT {COLUMNS} FROM log.event"  # noqa: S608  a constant
_AFTER = f"{_COLUMNS} WHERE position > $1 ORDER BY position LIMIT $2"
_STREAM = f"{_COLUMNS} WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3"
_BETWEEN = f"{_COLUMNS} WHERE position BETWEEN $1 AND $2 ORDER BY position"
_AT_ALL = f"{_COLUMNS} WHERE position = ANY ($1::bigint[])"
_SHARDS = (
    f"{_COLUMNS} WHERE position > $1 AND position <= $2 AND shard >= $3 AND shard < $4"
    " ORDER BY position LIMIT $5"
)
_ID = "SELECT id FROM log.event WHERE position = $1"
_HEAD = "SELECT coalesce(max(position), 0) FROM log.event"
_MOVED_AT_MOST: Final = 20_000
_MOVED = """
    SELECT stream, max(version) AS version, max(position) AS position, count(*) AS count
    FROM (
        SELECT stream, version, position FROM log.event
        WHERE position > $1 ORDER BY position LIMIT $2
    ) AS e GROUP BY stream
"""
# Positions are dense and times never step back, so the last one is found by halving.
_AT = """
    WITH RECURSIVE halved (low, high) AS (
        SELECT 0::bigint, coalesce(max(position), 0) FROM log.event
        UNION ALL
        SELECT CASE WHEN e.recorded_at <= $1 THEN e.position ELSE h.low END,
            CASE WHEN e.recorded_at <= $1 THEN h.high ELSE e.position - 1 END
        FROM halved AS h JOIN log.event AS e ON e.position = (h.low + h.high + 1) / 2
        WHERE h.low < h.high
    )
    SELECT low AS position, low = (SELECT max(high) FROM halved) AS is_last
    FROM halved WHERE low = high
"""
# What an append holds until it is there to be read (migration 0002).
_APPENDED = "SELECT pg_advisory_xact_lock_shared(7700100)"
_COMMAND = (
    "SELECT first, last, request_hash FROM log.command WHERE tenant = $1 AND id = $2"
)


class Reader:
    """Reads by position, by stream and by command."""

    def __init__(
        self, pool: asyncpg.Pool, mapper: StructMapper, keys: DataKeys
    ) -> None:
        self._pool = pool
        self.opener = Opener(pool, mapper, keys)

    async def read_log(self, *, after: int, limit: int) -> list[Recorded]:
        """Return events with position > ``after``, at most ``limit`` and ``PAGE``.

        Raises:
            Unreadable: an event is damaged.
        """
        return await self.opener.all_of(await self.read_rows(after=after, limit=limit))

    async def read_first(self, *, after: int, limit: int) -> list[Recorded]:
        """Return the same up to what is damaged: none of it only at the log's end.

        Raises:
            Unreadable: the very next event is damaged.
        """
        rows = await self.read_rows(after=after, limit=limit)
        return await self.opener.first_of(rows)

    async def read_each(self, *, after: int, limit: int) -> list[Recorded]:
        """Return the same; what is damaged as ``Damaged``."""
        return await self.opener.each_of(await self.read_rows(after=after, limit=limit))

    async def read_stream(
        self,
        stream: str,
        *,
        after: int,
        limit: int | None,
        despite_damage: bool = False,
    ) -> list[Recorded]:
        """Return a stream's events with version > ``after``, page by page inside.

        ``despite_damage`` is for who erases: see ``Opener``.
        """
        opener = self.opener
        opened = opener.despite_damage if despite_damage else opener.all_of
        found: list[Recorded] = []
        while limit is None or len(found) < limit:
            wanted = PAGE if limit is None else min(PAGE, limit - len(found))
            rows = await self._pool.fetch(_STREAM, stream, after, wanted)
            found += await opened(rows)
            if len(rows) < wanted:
                break
            after = rows[-1]["version"]
        return found

    async def read_between(self, first: int, last: int) -> list[Recorded]:
        """Return the events from one position to another, both included."""
        return await self.opener.all_of(await self._pool.fetch(_BETWEEN, first, last))

    async def read_at(self, positions: Sequence[int]) -> list[Recorded]:
        """Return the events at these positions, those that exist.

        What is damaged comes as ``Damaged``.
        """
        return await self.opener.each_of(
            await self._pool.fetch(_AT_ALL, list(positions))
        )

    async def read_shards(
        self, after: int, through: int, low: int, high: int, limit: int
    ) -> list[Recorded]:
        """Return events of shards ``low`` to ``high`` (exclusive) between positions.

        Those with position > ``after`` and <= ``through``, the first ``limit`` of them.
        What is damaged comes as ``Damaged``.
        """
        found = await self._pool.fetch(_SHARDS, after, through, low, high, limit)
        return await self.opener.each_of(found)

    async def id_at(self, position: int) -> UUID | None:
        """Return the id of the event at a position, None if there is none."""
        found: UUID | None = await self._pool.fetchval(_ID, position)
        return found

    async def head(self) -> int:
        """Return the highest position, 0 when the log is empty."""
        head: int = await self._pool.fetchval(_HEAD)
        return head

    async def position_at(self, moment: datetime) -> int:
        """Return the last position recorded at or before a time, 0 if there is none.

        An append under way has its time already: where it could be the last, it is
        waited for, so that a time that is past has the same answer for ever.
        """
        found = await self._pool.fetchrow(_AT, moment)
        if found["is_last"]:
            async with self._pool.acquire() as db, db.transaction():
                await db.execute(_APPENDED)
                found = await db.fetchrow(_AT, moment)
        position: int = found["position"]
        return position

    async def moved_since(self, position: int) -> MovedStreams:
        """Return which streams grew after a position; not which, if it is much."""
        rows = await self._pool.fetch(_MOVED, position, _MOVED_AT_MOST)
        if sum(row["count"] for row in rows) == _MOVED_AT_MOST:
            return MovedStreams(await self.head(), None)
        through = max((row["position"] for row in rows), default=position)
        return MovedStreams(through, {row["stream"]: row["version"] for row in rows})

    async def read_rows(self, *, after: int, limit: int) -> list[StoredRow]:
        """Return what :meth:`read_log` does, as it is stored: sealed, not decoded."""
        rows = await self._pool.fetch(_AFTER, after, min(limit, PAGE))
        return [StoredRow(*row) for row in rows]

    async def find_command(self, tenant: str, command: UUID) -> SeenCommand | None:
        """Return what a command was, and what it wrote, if it was carried out."""
        row = await self._pool.fetchrow(_COMMAND, tenant, command)
        if row is None:
            return None
        recorded = tuple(await self.read_between(row["first"], row["last"]))
        appended = Appended(row["first"], row["last"], recorded, replayed=True)
        return SeenCommand(row["request_hash"], appended)
