"""Reads the log: rows to recorded events, opened as far as their keys exist."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from commands.ports import Appended, SeenCommand
from domain.recorded import Cause, Recorded
from infra.codec.cause import decode_cause
from infra.codec.errors import Unreadable
from infra.postgres.data_keys import DataKeys
from infra.postgres.mapper import SealedEvent, StructMapper

PAGE: Final = 2_000
"""Most events one read by position returns."""

_COLUMNS = (
    "SELECT position, recorded_at, id, version, shard, stream, tenant, type, meta, data"
    " FROM log.event"
)
_AFTER = f"{_COLUMNS} WHERE position > $1 ORDER BY position LIMIT $2"
_STREAM = f"{_COLUMNS} WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3"
_BETWEEN = f"{_COLUMNS} WHERE position BETWEEN $1 AND $2 ORDER BY position"
_HEAD = "SELECT coalesce(max(position), 0) FROM log.event"
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
        self._mapper = mapper
        self._keys = keys

    async def read_log(self, *, after: int, limit: int) -> list[Recorded]:
        """Return events with position > ``after``, at most ``limit`` and ``PAGE``.

        Raises:
            Unreadable: an event is damaged.
        """
        rows = await self._pool.fetch(_AFTER, after, min(limit, PAGE))
        return await self.open(rows)

    async def read_stream(
        self, stream: str, *, after: int, limit: int | None
    ) -> list[Recorded]:
        """Return a stream's events with version > ``after``, page by page inside."""
        found: list[Recorded] = []
        while limit is None or len(found) < limit:
            wanted = PAGE if limit is None else min(PAGE, limit - len(found))
            rows = await self._pool.fetch(_STREAM, stream, after, wanted)
            found += await self.open(rows)
            if len(rows) < wanted:
                break
            after = rows[-1]["version"]
        return found

    async def read_between(self, first: int, last: int) -> list[Recorded]:
        """Return the events from one position to another, both included."""
        return await self.open(await self._pool.fetch(_BETWEEN, first, last))

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

    async def find_command(self, tenant: str, command: UUID) -> SeenCommand | None:
        """Return what a command was, and what it wrote, if it was carried out."""
        row = await self._pool.fetchrow(_COMMAND, tenant, command)
        if row is None:
            return None
        recorded = tuple(await self.read_between(row["first"], row["last"]))
        appended = Appended(row["first"], row["last"], recorded, replayed=True)
        return SeenCommand(row["request_hash"], appended)

    async def open(self, rows: Sequence[Any]) -> list[Recorded]:
        """Unseal and decode rows of the log, all of its columns but the link.

        Raises:
            Unreadable: an event is damaged.
        """
        sealings = [self._mapper.sealing_of(row["type"], row["data"]) for row in rows]
        numbers = {sealing.key for sealing in sealings if sealing.key}
        keys = await self._keys.for_opening(numbers) if numbers else {}
        causes: dict[bytes, Cause] = {}
        recorded: list[Recorded] = []
        for row, sealing in zip(rows, sealings, strict=True):
            position, at, id_, version, shard, stream, tenant, tag, meta, data = row
            key = keys.get(sealing.key)
            stored = SealedEvent(stream, version, tag, data, tenant, id_, sealing, key)
            cause = causes.get(meta)
            if cause is None:
                cause = causes[meta] = _cause(meta)
            recorded.append(
                Recorded(
                    position=position,
                    stream=stream,
                    version=version,
                    tenant=tenant,
                    shard=shard,
                    recorded_at=at,
                    id=id_,
                    cause=cause,
                    event=self._mapper.to_domain_event(stored).event,
                )
            )
        return recorded


def _cause(meta: bytes) -> Cause:
    try:
        return decode_cause(meta)
    except msgspec.DecodeError as error:
        raise Unreadable("A stored cause does not decode") from error
