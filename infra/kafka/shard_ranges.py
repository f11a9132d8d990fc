"""The rows of ``work.shard_range``: read, and moved, for all processors of a worker.

Each of its feeds looks at its own every second, and moves it on: at the same time, so
that it is one look and one move for all of them.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from infra.kafka.place import Place
from infra.together import Together


class ShardRange(msgspec.Struct, frozen=True):
    """Everything of shards ``low`` to ``high`` (exclusive) up to a position is done.

    Or held. What follows is at offset ``next`` of ``place`` or beyond, where that is
    known.
    """

    low: int
    high: int
    position: int
    place: Place | None = None
    next: int | None = None

    def has(self, shard: int) -> bool:
        return self.low <= shard < self.high


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """How far a range is to go: to the event ``event`` at ``through``."""

    range: ShardRange
    through: int
    event: UUID | None
    place: Place | None = None
    next: int | None = None


class Ranges(NamedTuple):
    """The ranges of a processor, and whether it holds any key."""

    ranges: Sequence[ShardRange]
    is_held: bool


_RANGES: Final = """
SELECT r.processor, r.low, r.high, r.position, r.topic, r.part, r.next,
    h.processor IS NOT NULL AS is_held
FROM work.shard_range AS r
LEFT JOIN (
    SELECT DISTINCT processor FROM work.held WHERE processor = ANY ($1::text[])
) AS h USING (processor)
WHERE r.processor = ANY ($1::text[]) ORDER BY r.processor, r.low
"""

# Losing this to a crash of the machine only means that events come again.
_MOVE: Final = """
WITH quick AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS commit
), move AS (
    SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::bigint[], $5::bigint[],
        $6::uuid[], $7::text[], $8::int[], $9::bigint[])
        AS m (processor, low, high, start, through, event, topic, part, next)
)
UPDATE work.shard_range AS r SET position = m.through, event = m.event,
    topic = m.topic, part = m.part, next = m.next
FROM move AS m, quick
WHERE r.processor = m.processor AND r.low = m.low AND r.high = m.high
    AND r.position = m.start AND quick.commit = 'off'
RETURNING r.processor, r.low
"""

_TOGETHER: Final = 0.005
"""Seconds within which looks are one look."""

Moves = tuple[str, Sequence[Move]]
"""A processor, and where its ranges are to go."""


class ShardRanges:
    """Ranges of any processor, looked at and moved with those of others."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        async def read(processors: Sequence[str]) -> Sequence[Ranges]:
            return await _read(pool, processors)

        async def move(moves: Sequence[Moves]) -> Sequence[set[int]]:
            return await move_ranges(pool, moves)

        self.of = Together(read, _TOGETHER)
        self.move = Together(move)


async def move_ranges(
    db: asyncpg.Pool | asyncpg.Connection, moves: Sequence[Moves]
) -> Sequence[set[int]]:
    """Move ranges from where they were found; return the ``low`` of those moved."""
    rows = [
        (
            processor,
            each.range.low,
            each.range.high,
            each.range.position,
            each.through,
            each.event,
            each.place and each.place.topic,
            each.place and each.place.part,
            each.next,
        )
        for processor, those in moves
        for each in those
    ]
    rows.sort(key=lambda row: row[:2])
    found = await db.fetch(_MOVE, *map(list, zip(*rows, strict=True))) if rows else ()
    moved = {(row["processor"], row["low"]) for row in found}
    return [
        {e.range.low for e in those if (processor, e.range.low) in moved}
        for processor, those in moves
    ]


async def _read(pool: asyncpg.Pool, processors: Sequence[str]) -> Sequence[Ranges]:
    rows = await pool.fetch(_RANGES, list(set(processors)))
    ranges: dict[str, list[ShardRange]] = {each: [] for each in processors}
    held: set[str] = set()
    for row in rows:
        ranges[row["processor"]].append(_range(row))
        if row["is_held"]:
            held.add(row["processor"])
    return [Ranges(ranges[each], each in held) for each in processors]


def _range(row: asyncpg.Record) -> ShardRange:
    place = None if row["topic"] is None else Place(row["topic"], row["part"])
    return ShardRange(row["low"], row["high"], row["position"], place, row["next"])
