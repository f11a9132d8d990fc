"""Folds the whole log into fresh views and puts them in place of the live ones."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg
import msgspec

from domain.recorded import Recorded
from infra.postgres.checkpoints import Checkpoint, move_checkpoints
from infra.postgres.views import (
    LIVE,
    analyze_views,
    connect_views,
    make_indexes,
    make_schema,
    make_tables,
)
from projections.ports import LogReader
from projections.projection import Projection

SHADOW: Final = "view_rebuild"
"""The schema that is filled while the live one still serves."""

PAGE: Final = 5_000
"""Most events folded in one transaction."""

ANALYZED: Final = 1_000
GROWN: Final = 4
"""At so many events, and whenever there are so many times more, plans are remade."""


class Progress(msgspec.Struct, frozen=True):
    """How far a rebuild is: positions, and seconds since it began."""

    position: int
    head: int
    seconds: float

    @property
    def remaining(self) -> float | None:
        """Seconds to go at the present pace; exact, for positions are dense."""
        if self.position == 0:
            return None
        return self.seconds * (self.head - self.position) / self.position


class Report(msgspec.Struct, frozen=True):
    """What a rebuild did: events folded, and how long it took until the swap."""

    events: int
    seconds: float


async def rebuild(
    dsn: str,
    log: LogReader,
    projections: Sequence[Projection],
    progress: Callable[[Progress], None] = lambda _: None,
) -> Report:
    """Rebuild these projections, which must be all there are, while nothing writes.

    Until the swap, one short transaction at the end, the live views stay as they
    are: a rebuild that fails or is broken off changes nothing.
    """
    started = time.monotonic()
    connection = await connect_views(dsn, SHADOW)
    try:
        await connection.execute(f"DROP SCHEMA IF EXISTS {SHADOW} CASCADE")
        position = await fold_log(connection, SHADOW, log, projections, progress)
        await connection.execute("SET maintenance_work_mem = '256MB'")
        await make_indexes(connection, projections)
        await analyze_views(connection, SHADOW)
        await _swap(connection)
    finally:
        await connection.close()
    return Report(position, time.monotonic() - started)


async def fold_log(
    connection: asyncpg.Connection,
    schema: str,
    log: LogReader,
    projections: Sequence[Projection],
    progress: Callable[[Progress], None] = lambda _: None,
    through: int | None = None,
) -> int:
    """Fold the log from its beginning into new tables of a schema, without indexes.

    The connection's search path is that schema. Returns the position reached: the
    log's head, or ``through``.
    """
    started = time.monotonic()
    async with connection.transaction():
        await make_schema(connection, schema)
        await make_tables(connection, projections)
    head = await log.head() if through is None else through
    position, analyze_at = 0, ANALYZED
    while position < head:
        batch = await _read(log, position, min(PAGE, head - position))
        async with connection.transaction():
            await _fold(connection, projections, batch, position)
        position = batch[-1].position
        if position >= analyze_at:
            await analyze_views(connection, schema)
            analyze_at = position * GROWN
        progress(Progress(position, head, time.monotonic() - started))
    return position


async def _read(log: LogReader, after: int, wanted: int) -> list[Recorded]:
    batch: list[Recorded] = []
    while len(batch) < wanted:
        page = await log.read_log(after=after, limit=wanted - len(batch))
        if not page:
            raise LookupError(f"The log has nothing after position {after}")
        batch.extend(page)
        after = page[-1].position
    return batch


async def _fold(
    connection: asyncpg.Connection,
    projections: Sequence[Projection],
    batch: Sequence[Recorded],
    position: int,
) -> None:
    for projection in projections:
        share = [each for each in batch if isinstance(each.event, projection.handles)]
        if share:
            await projection.apply(connection, share)
    moves = dict.fromkeys((each.name for each in projections), position)
    last = Checkpoint(batch[-1].position, batch[-1].id)
    await move_checkpoints(connection, moves, last)


async def _swap(connection: asyncpg.Connection) -> None:
    """Give the shadow the live name and drop what had it, all or nothing."""
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '10s'")
        await connection.execute(f"DROP SCHEMA IF EXISTS {LIVE} CASCADE")
        await connection.execute(f"ALTER SCHEMA {SHADOW} RENAME TO {LIVE}")
