"""Keys of a processor that wait (``work.held``), whatever their events come from."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Literal, TypeAlias

import asyncpg
import msgspec


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

    @property
    def is_due(self) -> bool:
        return self.due_in is not None and self.due_in <= timedelta()


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


class FedOtherwise(Exception):  # noqa: N818  says what happened
    """A processor is fed the other way now: ``FEED_TYPE`` differs between workers."""


# Who begins to feed a processor, either way, does so alone.
BEGIN = "SELECT pg_advisory_xact_lock(7700200, hashtext($1))"

_HELD = """
SELECT ordering_key, tenant, position, attempts, state, due_at - now() AS due_in
FROM work.held WHERE processor = $1
"""

_STILL_HELD = """
SELECT ordering_key FROM work.held WHERE processor = $1 AND ordering_key = ANY ($2)
"""

_HOLD = """
INSERT INTO work.held
    (processor, ordering_key, tenant, position, attempts, state, reason, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now() + $8)
ON CONFLICT (processor, ordering_key) DO UPDATE SET
    position = excluded.position, attempts = excluded.attempts,
    state = excluded.state, reason = excluded.reason, due_at = excluded.due_at,
    letter_at = NULL
WHERE held.position <= excluded.position
"""

# What an operator or another feed moved on meanwhile is not taken back.
_HOLD_AGAIN = """
UPDATE work.held SET position = $4, attempts = $5, state = $6, reason = $7,
    due_at = now() + $8, letter_at = NULL
WHERE processor = $1 AND ordering_key = $2 AND tenant = $3 AND position <= $4
"""

_GO_ON = """
UPDATE work.held SET position = $3, attempts = 0, state = 'retry', due_at = now()
WHERE processor = $1 AND ordering_key = $2 AND position < $3
"""

_RELEASE = "DELETE FROM work.held WHERE processor = $1 AND ordering_key = $2"

Db: TypeAlias = asyncpg.Pool | asyncpg.Connection


class HeldKeys:
    """The keys of one processor."""

    def __init__(self, processor: str) -> None:
        self._processor = processor

    async def all(self, db: Db) -> dict[str, Held]:
        """Return all that wait, by key."""
        rows = await db.fetch(_HELD, self._processor)
        return {row["ordering_key"]: held(row) for row in rows}

    async def still(self, db: Db, keys: Collection[str]) -> set[str]:
        """Return those of them that wait."""
        rows = await db.fetch(_STILL_HELD, self._processor, list(keys))
        return {row["ordering_key"] for row in rows}

    async def hold(self, db: Db, holds: Sequence[Hold]) -> None:
        """Let keys wait."""
        await db.executemany(_HOLD, [self._row(each) for each in holds])

    async def hold_again(self, db: Db, hold: Hold) -> None:
        """Hold a key on after it was tried; progress made elsewhere stays."""
        await db.execute(_HOLD_AGAIN, *self._row(hold))

    async def release(self, db: Db, key: str, through: int, position: int) -> None:
        """Let a key flow whose events up to ``through`` are done.

        Where its feed is further, at ``position``, it is held on for what comes after.
        """
        if position > through:
            await db.execute(_GO_ON, self._processor, key, through + 1)
        else:
            await db.execute(_RELEASE, self._processor, key)

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


def held(row: asyncpg.Record) -> Held:
    """Read a row of the table."""
    return Held(
        key=row["ordering_key"],
        tenant=row["tenant"],
        position=row["position"],
        attempts=row["attempts"],
        due_in=None if row["state"] == "parked" else row["due_in"],
    )
