"""The log as ``eventsourcing`` sees it: stored events, notifications, tracking.

Events go through the same ``log.append`` as everybody's, so their notification ids
are positions: dense and in the order of commits. A stream is named by its originator's
id; versions are contiguous and start at 1, or at 0 as in the library's own tests.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
from eventsourcing.persistence import (
    IntegrityError,
    Notification,
    StoredEvent,
    Tracking,
)
from uuid_utils.compat import uuid7

from domain.names import shard_of
from domain.recorded import Cause
from infra.codec.cause import encode_cause
from infra.postgres.announcer import CHANNEL
from infra.postgres.append_call import APPENDED, SQL

_LAST: Final = 2**62
_NO_COMMAND: Final = (None, None, None)

_SELECT = """
SELECT version, type, data FROM log.event
WHERE stream = $1 AND version > $2 AND version <= $3
ORDER BY version {direction} LIMIT $4
"""
_FORWARDS, _BACKWARDS = (_SELECT.format(direction=way) for way in ("ASC", "DESC"))

_NOTIFICATIONS = """
SELECT position, stream, version, type, data FROM log.event
WHERE position >= $1 AND position <= $2 AND ($3::text[] IS NULL OR type = ANY ($3))
ORDER BY position LIMIT $4
"""

_TRACK = """
INSERT INTO work.tracking AS t (application, position) VALUES ($1, $2)
ON CONFLICT (application) DO UPDATE SET position = excluded.position
WHERE t.position < excluded.position
RETURNING position
"""


class LibraryLog:
    """Stored events of one tenant in, stored events and notifications out."""

    def __init__(
        self, pool: asyncpg.Pool, tenant: str, id_type: type[UUID] | type[str]
    ) -> None:
        self._pool = pool
        self._tenant = tenant
        self._id_type = id_type

    async def insert(
        self, stored: Sequence[StoredEvent], tracking: Tracking | None
    ) -> list[int]:
        """Append all and move the tracking, or nothing; return the positions.

        Raises:
            IntegrityError: a version is taken or leaves a gap, or the tracking is
                not ahead.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            if tracking is not None:
                await self._track(connection, tracking)
            positions = await self._append(connection, stored)
        if positions:
            await self._pool.execute(
                "SELECT pg_notify($1, $2)", CHANNEL, str(positions[-1])
            )
        return positions

    async def select(
        self, originator: UUID | str, above: int | None, to: int | None, **page: Any
    ) -> list[StoredEvent]:
        """Return events of one originator, ``desc`` and ``limit`` as asked."""
        rows = await self._pool.fetch(
            _BACKWARDS if page["desc"] else _FORWARDS,
            str(originator),
            -1 if above is None else above,
            2**31 - 1 if to is None else to,
            page["limit"],
        )
        return [StoredEvent(originator, version, *rest) for version, *rest in rows]

    async def notifications(
        self, first: int, last: int | None, topics: Sequence[str], limit: int
    ) -> list[Notification]:
        """Return events from one position to another as notifications."""
        rows = await self._pool.fetch(
            _NOTIFICATIONS,
            first,
            _LAST if last is None else last,
            list(topics) or None,
            limit,
        )
        return [
            Notification(self._id_type(stream), version, topic, state, position)
            for position, stream, version, topic, state in rows
        ]

    async def head(self) -> int | None:
        """Return the highest position, None when the log is empty."""
        head: int | None = await self._pool.fetchval(
            "SELECT max(position) FROM log.event"
        )
        return head

    async def tracked(self, application: str) -> int | None:
        """Return how far an application was processed, None if never."""
        position: int | None = await self._pool.fetchval(
            "SELECT position FROM work.tracking WHERE application = $1", application
        )
        return position

    async def _track(self, connection: Any, tracking: Tracking) -> None:
        moved = await connection.fetchval(
            _TRACK, tracking.application_name, tracking.notification_id
        )
        if moved is None:
            raise IntegrityError(f"{tracking} is not ahead of what was tracked")

    async def _append(
        self, connection: Any, stored: Sequence[StoredEvent]
    ) -> list[int]:
        if not stored:
            return []
        by_stream: dict[str, list[StoredEvent]] = {}
        for event in stored:
            by_stream.setdefault(str(event.originator_id), []).append(event)
        rows = await connection.fetch(SQL, *self._arguments(by_stream))
        if any(row["status"] != APPENDED for row in rows):
            raise IntegrityError("A version is taken, or one before it is missing")
        first = {
            stream: row["first"] - events[0].originator_version
            for (stream, events), row in zip(by_stream.items(), rows, strict=True)
        }
        return [first[str(e.originator_id)] + e.originator_version for e in stored]

    def _arguments(self, by_stream: dict[str, list[StoredEvent]]) -> list[list[Any]]:
        meta = encode_cause(Cause(actor="eventsourcing", correlation_id=uuid7()))
        rows: list[tuple[Any, ...]] = []
        events: list[tuple[Any, ...]] = []
        for stream, group in by_stream.items():
            start = group[0].originator_version
            versions = [event.originator_version for event in group]
            if versions != list(range(start, start + len(group))):
                raise IntegrityError("Versions of one originator follow one another")
            shard = shard_of(stream)
            rows.append(
                (1, 0, self._tenant, stream, shard, start - 1, len(group), *_NO_COMMAND)
            )
            for nth, event in enumerate(group, start=1):
                events.append((len(rows), nth, event.topic, uuid7(), meta, event.state))
        return [
            *map(list, zip(*rows, strict=True)),
            *map(list, zip(*events, strict=True)),
        ]
