"""What a processor's feed remembers: its checkpoint, and the keys that wait."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec


class Superseded(Exception):  # noqa: N818  says what happened
    """Another feed of this processor went on meanwhile; look again."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A key that waits: its events from ``position`` on are not done.

    ``due_in`` is the time until it is tried again, nothing when it is due, None
    when it is parked.
    """

    key: str
    tenant: str
    position: int
    attempts: int
    due_in: timedelta | None


class Standing(msgspec.Struct, frozen=True):
    """Where a processor stands: everything up to ``position`` is done or held."""

    position: int
    held: Mapping[str, Held]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A key to hold from ``position`` on, and why; parked when ``after`` is None."""

    key: str
    tenant: str
    position: int
    attempts: int
    after: timedelta | None
    reason: str

    @property
    def state(self) -> Literal["retry", "parked"]:
        return "parked" if self.after is None else "retry"


_STANDING = """
SELECT c.position AS checkpoint, h.ordering_key, h.tenant, h.position, h.attempts,
       h.state, h.due_at - now() AS due_in
FROM work.checkpoint c LEFT JOIN work.held h USING (processor)
WHERE c.processor = $1
"""

# Losing this to a crash of the machine only means that events come again.
_ADVANCE = """
WITH quick AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS commit
)
UPDATE work.checkpoint SET position = $3, event = $4 FROM quick
WHERE processor = $1 AND position = $2 AND quick.commit = 'off'
"""

_LOCK = "SELECT position FROM work.checkpoint WHERE processor = $1 FOR UPDATE"

_STILL_HELD = """
SELECT count(*) FROM work.held WHERE processor = $1 AND ordering_key = ANY ($2)
"""

_HOLD = """
INSERT INTO work.held
    (processor, ordering_key, tenant, position, attempts, state, reason, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now() + $8)
ON CONFLICT (processor, ordering_key) DO UPDATE SET
    position = excluded.position, attempts = excluded.attempts,
    state = excluded.state, reason = excluded.reason, due_at = excluded.due_at
WHERE held.position <= excluded.position
"""

# What an operator or another feed moved on meanwhile is not taken back.
_HOLD_AGAIN = """
UPDATE work.held SET position = $4, attempts = $5, state = $6, reason = $7,
    due_at = now() + $8
WHERE processor = $1 AND ordering_key = $2 AND tenant = $3 AND position <= $4
"""

_GO_ON = """
UPDATE work.held SET position = $3, attempts = 0, state = 'retry', due_at = now()
WHERE processor = $1 AND ordering_key = $2 AND position < $3
"""

_RELEASE = "DELETE FROM work.held WHERE processor = $1 AND ordering_key = $2"


class FeedLedger:
    """The ``work`` tables of one processor; several feeds may share them safely.

    Whoever holds, releases or passes over a key does so under the checkpoint's row
    lock, so no event falls between one feed that passes over a held key and another
    that releases it.
    """

    def __init__(self, pool: asyncpg.Pool, processor: str) -> None:
        self._pool = pool
        self._processor = processor

    async def begin(self) -> None:
        """Make the checkpoint, at the log's beginning, if there is none."""
        await self._pool.execute(
            "INSERT INTO work.checkpoint (processor, position) VALUES ($1, 0)"
            " ON CONFLICT DO NOTHING",
            self._processor,
        )

    async def standing(self) -> Standing:
        """Return the checkpoint and all keys that wait."""
        rows = await self._pool.fetch(_STANDING, self._processor)
        held = [_held(row) for row in rows if row["ordering_key"] is not None]
        return Standing(rows[0]["checkpoint"], {each.key: each for each in held})

    async def advance(
        self,
        start: int,
        end: tuple[int, UUID],
        holds: Sequence[Hold],
        passed_over: Collection[str],
    ) -> None:
        """Move the checkpoint from ``start`` to ``end`` (position and event).

        ``holds`` are keys whose events in between are not done; ``passed_over`` are
        keys that were held and must still be.

        Raises:
            Superseded: nothing was changed.
        """
        if not holds and not passed_over:
            status = await self._pool.execute(_ADVANCE, self._processor, start, *end)
            if status != "UPDATE 1":
                raise Superseded
            return
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_LOCK, self._processor) != start:
                raise Superseded
            still = await connection.fetchval(
                _STILL_HELD, self._processor, list(passed_over)
            )
            if still != len(passed_over):
                raise Superseded
            await connection.executemany(_HOLD, [self._row(each) for each in holds])
            await connection.execute(_ADVANCE, self._processor, start, *end)

    async def hold_again(self, hold: Hold) -> None:
        """Hold a key on after it was tried; progress made elsewhere stays."""
        await self._pool.execute(_HOLD_AGAIN, *self._row(hold))

    async def release(self, key: str, through: int) -> None:
        """Let a key flow: its events up to ``through`` are done.

        While the checkpoint is further, the key stays held for what comes after.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            position = await connection.fetchval(_LOCK, self._processor)
            if position > through:
                await connection.execute(_GO_ON, self._processor, key, through + 1)
            else:
                await connection.execute(_RELEASE, self._processor, key)

    def _row(self, hold: Hold) -> tuple[object, ...]:
        return (
            self._processor,
            hold.key,
            hold.tenant,
            hold.position,
            hold.attempts,
            hold.state,
            hold.reason,
            hold.after or timedelta(),
        )


def _held(row: asyncpg.Record) -> Held:
    return Held(
        key=row["ordering_key"],
        tenant=row["tenant"],
        position=row["position"],
        attempts=row["attempts"],
        due_in=None if row["state"] == "parked" else row["due_in"],
    )
