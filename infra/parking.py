"""The keys that wait, as operators see them: listed, retried, skipped."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import asyncpg
import msgspec


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a processor that waits at the event at ``position``."""

    processor: str
    ordering_key: str
    tenant: str
    position: int
    attempts: int
    state: Literal["retry", "parked"]
    reason: str
    held_at: datetime
    due_at: datetime


class Parking:
    """The table of keys that wait; feeds look at it in each turn."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def list(self, *, parked_only: bool = False) -> Sequence[Waiting]:
        """Return the keys that wait, those that wait longest first."""
        rows = await self._pool.fetch(
            "SELECT processor, ordering_key, tenant, position, attempts, state, reason,"
            " held_at, due_at FROM work.held WHERE state = 'parked' OR NOT $1"
            " ORDER BY held_at, processor, ordering_key",
            parked_only,
        )
        return [Waiting(**dict(row)) for row in rows]

    async def retry(self, processor: str, ordering_key: str) -> bool:
        """Have a key tried again at once, as if for the first time; False if none."""
        return await self._moved(
            "UPDATE work.held SET state = 'retry', attempts = 0, due_at = now()"
            " WHERE processor = $1 AND ordering_key = $2",
            processor,
            ordering_key,
        )

    async def skip(self, processor: str, ordering_key: str) -> bool:
        """Pass over the event a key waits at, for good, and go on behind it."""
        return await self._moved(
            "UPDATE work.held SET state = 'retry', attempts = 0, due_at = now(),"
            " position = position + 1 WHERE processor = $1 AND ordering_key = $2",
            processor,
            ordering_key,
        )

    async def _moved(self, statement: str, *named: str) -> bool:
        status: str = await self._pool.execute(statement, *named)
        return status != "UPDATE 0"
