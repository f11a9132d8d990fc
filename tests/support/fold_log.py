"""Folds the log into a schema, batch by batch: what every view must equal."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg

from domain.recorded import Recorded
from infra.postgres.checkpoints import Checkpoint, move_checkpoints
from infra.postgres.views import analyze_views, make_schema, make_tables
from infra.rebuild.lanes import fold
from infra.rebuild.report import Progress
from projections.ports import LogReader
from projections.projection import Projection

PAGE: Final = 5_000
"""Most events folded in one transaction."""

ANALYZED: Final = 1_000
GROWN: Final = 4
"""At so many events, and whenever there are so many times more, plans are remade."""


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
        progress(Progress("fold", position, head, time.monotonic() - started))
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
    await fold(connection, projections, batch)
    moves = dict.fromkeys((each.name for each in projections), position)
    last = Checkpoint(batch[-1].position, batch[-1].id)
    await move_checkpoints(connection, moves, last)
