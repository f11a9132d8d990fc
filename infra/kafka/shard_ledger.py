"""What a processor remembers that is fed by ranges of shards: where each stands.

The laws are those of ``FeedLedger``: a range moves by compare-and-set, and whoever
holds, releases or passes over a key does so under the lock of the range it is in.
Ranges may be cut anew at any time: each part keeps the position of the whole.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from domain.names import shard_of
from infra.held_keys import BEGIN, FedOtherwise, Held, HeldKeys, Hold
from infra.kafka.names import SHARDS, shards_of
from infra.kafka.shard_ranges import (
    Move,
    ShardRange,
    ShardRanges,
    move_ranges,
)


class ShardStanding(msgspec.Struct, frozen=True):
    """Where a processor stands in each range, and the keys that wait."""

    ranges: Sequence[ShardRange]
    held: Mapping[str, Held]

    @property
    def position(self) -> int:
        """Up to here everything is done or held, whichever shard it is of."""
        return min(each.position for each in self.ranges)

    def moved(self, moves: Iterable["Move"]) -> "ShardStanding":
        """Return where it stands once these were carried out."""
        by_low = {each.range.low: each for each in moves}
        ranges = [
            ShardRange(each.low, each.high, move.through, move.place, move.next)
            if (move := by_low.get(each.low))
            else each
            for each in self.ranges
        ]
        return ShardStanding(ranges, self.held)

    def set_back_from(self, before: "ShardStanding | None") -> list[int]:
        """Return the ``low`` of ranges that a crash of the database took back.

        What was held when they were moved on is not held any more.
        """
        stood = {each.low: each.position for each in before.ranges} if before else {}
        return [e.low for e in self.ranges if e.position < stood.get(e.low, 0)]


# Where it was fed as a whole, all its shards go on from there.
_BEGIN: Final = f"""
WITH whole AS (
    DELETE FROM work.checkpoint WHERE processor = $1 RETURNING position, event
)
INSERT INTO work.shard_range (processor, low, high, position, event)
SELECT $1, 0, {SHARDS}, coalesce((SELECT position FROM whole), 0),
    (SELECT event FROM whole)
WHERE NOT EXISTS (SELECT FROM work.shard_range WHERE processor = $1)
"""  # noqa: S608  a constant

_LOCK: Final = """
SELECT low, high, position, event, topic, part, next FROM work.shard_range
WHERE processor = $1 ORDER BY low FOR UPDATE
"""

_LOCK_SOME: Final = """
SELECT low, high, position FROM work.shard_range
WHERE processor = $1 AND low = ANY ($2::int[]) ORDER BY low FOR UPDATE
"""

_LOCK_OF: Final = """
SELECT position FROM work.shard_range
WHERE processor = $1 AND low <= $2 AND high > $2 FOR UPDATE
"""

_FORGET: Final = "DELETE FROM work.shard_range WHERE processor = $1"

_KEEP: Final = """
INSERT INTO work.shard_range
    (processor, low, high, position, event, topic, part, next)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


class ShardLedger:
    """The ``work`` tables of one processor; several workers share them safely.

    ``ranges`` are those all processors of this worker look at together.
    """

    def __init__(
        self, pool: asyncpg.Pool, processor: str, ranges: ShardRanges | None = None
    ) -> None:
        self._pool = pool
        self._processor = processor
        self._ranges = ranges or ShardRanges(pool)
        self._held = HeldKeys(processor)

    async def begin(self) -> None:
        """Make one range of all shards if there is none: where it stood, or at 0."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(BEGIN, self._processor)
            await connection.execute(_BEGIN, self._processor)

    async def cut(self, partitions: int) -> None:
        """Cut the ranges so that each is within one of so many partitions."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(BEGIN, self._processor)
            rows = await connection.fetch(_LOCK, self._processor)
            stand = [Row(*row) for row in rows]
            if (kept := recut(stand, partitions)) != stand:
                await connection.execute(_FORGET, self._processor)
                named = [(self._processor, *each) for each in kept]
                await connection.executemany(_KEEP, named)

    async def standing(self) -> ShardStanding:
        """Return all ranges and all keys that wait.

        Ranges first: who holds a key moves its range in the same transaction.

        Raises:
            FedOtherwise
        """
        ranges, is_held = await self._ranges.of(self._processor)
        if not ranges:
            raise FedOtherwise(self._processor)
        held = await self._held.all(self._pool) if is_held else {}
        return ShardStanding(ranges, held)

    async def advance(
        self,
        moves: Sequence[Move],
        holds: Sequence[Hold] = (),
        passed_over: Collection[str] = (),
    ) -> Collection[int]:
        """Move ranges on; return the ``low`` of each that was moved.

        The others were moved or cut by another meanwhile, and nothing was changed.

        ``holds`` are keys whose events are not done; ``passed_over`` are keys that
        were held and must still be, or their range is not moved.
        """
        if not holds and not passed_over:
            moved = await self._ranges.move((self._processor, moves))
        else:
            async with self._pool.acquire() as connection, connection.transaction():
                moves = await self._movable(connection, moves, passed_over)
                ranges = [each.range for each in moves]
                there = [each for each in holds if _within(each.key, ranges)]
                await self._held.hold(connection, there)
                [moved] = await move_ranges(connection, [(self._processor, moves)])
        return moved

    async def hold_again(self, hold: Hold) -> None:
        """Hold a key on after it was tried; progress made elsewhere stays."""
        await self._held.hold_again(self._pool, hold)

    async def release(self, key: str, through: int) -> None:
        """Let a key flow: its events up to ``through`` are done.

        While its range is further, the key stays held for what comes after.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            position = await connection.fetchval(
                _LOCK_OF, self._processor, shard_of(key)
            )
            if position is not None:  # else the next look finds who feeds it now
                await self._held.release(connection, key, through, position)

    async def _movable(
        self,
        connection: asyncpg.Connection,
        moves: Sequence[Move],
        passed_over: Collection[str],
    ) -> list[Move]:
        lows = sorted(each.range.low for each in moves)
        rows = await connection.fetch(_LOCK_SOME, self._processor, lows)
        stand = {(row["low"], row["high"], row["position"]) for row in rows}
        still = await self._held.still(connection, passed_over)
        let_go = {shard_of(each) for each in passed_over if each not in still}
        return [
            each
            for each in moves
            if (each.range.low, each.range.high, each.range.position) in stand
            and not any(each.range.has(shard) for shard in let_go)
        ]


class Row(NamedTuple):
    """A row of the table, but for whose it is."""

    low: int
    high: int
    position: int
    event: UUID | None = None
    topic: str | None = None
    part: int | None = None
    next: int | None = None


def recut(rows: Iterable[Row], partitions: int) -> list[Row]:
    """Cut rows at the borders of partitions; join neighbours that stand alike."""
    starts = {shards_of(each, partitions).start for each in range(partitions)}
    joined: list[Row] = []
    for row in rows:
        inside = (each for each in starts if row.low < each < row.high)
        for low, high in pairwise([row.low, *sorted(inside), row.high]):
            part, last = row._replace(low=low, high=high), joined[-1:]
            if not last or low in starts or last[0].position != row.position:
                joined.append(part)
                continue
            if last[0][2:] != part[2:]:  # where it goes on is found by its time
                part = Row(low, high, part.position, part.event)
            joined[-1] = part._replace(low=last[0].low)
    return joined


def _within(key: str, ranges: Iterable[ShardRange]) -> bool:
    shard = shard_of(key)
    return any(each.has(shard) for each in ranges)
