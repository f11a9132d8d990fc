"""What a processor's feed remembers: its checkpoint, and the keys that wait."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import asyncpg
import msgspec

from infra.held_keys import BEGIN, FedOtherwise, Held, HeldKeys, Hold, held


class Superseded(Exception):  # noqa: N818  says what happened
    """Another feed of this processor went on meanwhile; look again."""


class Standing(msgspec.Struct, frozen=True):
    """Where a processor stands: everything up to ``position`` is done or held."""

    position: int
    held: Mapping[str, Held]


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

# Where it was fed by ranges of shards, the least of them is where it goes on.
_BEGIN = """
WITH range AS (
    DELETE FROM work.shard_range WHERE processor = $1 RETURNING position, event
)
INSERT INTO work.checkpoint (processor, position, event)
SELECT $1, coalesce((SELECT min(position) FROM range), 0),
    (SELECT event FROM range ORDER BY position LIMIT 1)
ON CONFLICT DO NOTHING
"""


class FeedLedger:
    """The ``work`` tables of one processor; several feeds may share them safely.

    Whoever holds, releases or passes over a key does so under the checkpoint's row
    lock, so no event falls between one feed that passes over a held key and another
    that releases it.
    """

    def __init__(self, pool: asyncpg.Pool, processor: str) -> None:
        self._pool = pool
        self._processor = processor
        self._held = HeldKeys(processor)

    async def begin(self) -> None:
        """Make the checkpoint if there is none: where ranges of shards stood, or 0."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(BEGIN, self._processor)
            await connection.execute(_BEGIN, self._processor)

    async def standing(self) -> Standing:
        """Return the checkpoint and all keys that wait.

        Raises:
            FedOtherwise
        """
        rows = await self._pool.fetch(_STANDING, self._processor)
        if not rows:
            raise FedOtherwise(self._processor)
        waiting = [held(row) for row in rows if row["ordering_key"] is not None]
        return Standing(rows[0]["checkpoint"], {each.key: each for each in waiting})

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
            if await self._held.still(connection, passed_over) != set(passed_over):
                raise Superseded
            await self._held.hold(connection, holds)
            await connection.execute(_ADVANCE, self._processor, start, *end)

    async def hold_again(self, hold: Hold) -> None:
        """Hold a key on after it was tried; progress made elsewhere stays."""
        await self._held.hold_again(self._pool, hold)

    async def release(self, key: str, through: int) -> None:
        """Let a key flow: its events up to ``through`` are done.

        While the checkpoint is further, the key stays held for what comes after.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            position = await connection.fetchval(_LOCK, self._processor)
            if position is not None:  # else the next look finds who feeds it now
                await self._held.release(connection, key, through, position)
