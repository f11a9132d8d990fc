"""One lane of a rebuild: its share of the log, read ahead, folded in order."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg
from tenacity import (
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random,
)

from domain.event import tag_of
from domain.recorded import Recorded
from infra.fold_failure import Failure
from infra.postgres.checkpoints import CheckpointMoved
from infra.postgres.connection import is_lost
from infra.postgres.slices import Slice, Slices
from infra.rebuild.report import RebuildFailed
from infra.rebuild.shadow import Lane, move_lane
from projections.erasable import ENDS
from projections.projection import Projection

MOST_FAILURES: Final = 20
"""Failures that are looked for before a rebuild gives up."""


def slice_of(projections: Sequence[Projection], lane: Lane) -> Slice:
    """Return what of the log a lane folds; what erases concerns every shard."""
    types = {event for each in projections for event in each.handles}
    return Slice(
        tuple(sorted(tag_of(event) for event in types)),
        tuple(sorted(tag_of(event) for event in types.intersection(ENDS))),
        lane.first,
        lane.last,
    )


async def run_lane(
    connection: asyncpg.Connection,
    log: Slices,
    lane: Lane,
    projections: Sequence[Projection],
    through: int,
    told: Callable[[int], None],
) -> None:
    """Fold a lane from where it is through a position; ``projections`` are its own.

    Raises:
        RebuildFailed: an event cannot be folded.
        CheckpointMoved: another runs the same lane.
    """
    wanted, position = slice_of(projections, lane), lane.position
    ahead = asyncio.ensure_future(log.read(wanted, after=position, through=through))
    try:
        while position < through:
            batch, reached = await ahead
            ahead = asyncio.ensure_future(
                log.read(wanted, after=reached, through=through)
            )
            try:
                await _move(connection, lane, projections, batch, (position, reached))
            except CheckpointMoved:
                raise
            except Exception as error:
                if connection.is_closed() or is_lost(error) or not batch:
                    raise
                raise await explained(connection, projections, batch, error) from error
            position = reached
            told(position)
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)


@retry(
    retry=retry_if_exception_type(asyncpg.DeadlockDetectedError),
    wait=wait_random(max=0.2),
    stop=stop_after_attempt(20),
    reraise=True,
)
async def _move(
    connection: asyncpg.Connection,
    lane: Lane,
    projections: Sequence[Projection],
    batch: Sequence[Recorded],
    way: tuple[int, int],
) -> None:
    """Fold a batch and note how far the lane is.

    Lanes of other shards fold what erases as well, and come to its rows in an order
    of their own: who waits in a ring is begun anew.
    """
    async with connection.transaction():
        await fold(connection, projections, batch)
        await move_lane(connection, lane, *way)


async def fold(
    connection: asyncpg.Connection,
    projections: Sequence[Projection],
    batch: Sequence[Recorded],
) -> None:
    """Give each projection its share of a batch, in their order."""
    for projection in projections:
        handled = frozenset(projection.handles)
        share = [each for each in batch if type(each.event) in handled]
        if share:
            await projection.apply(connection, share)


async def explained(
    connection: asyncpg.Connection,
    projections: Sequence[Projection],
    batch: Sequence[Recorded],
    error: Exception,
) -> RebuildFailed:
    """Find which events of a batch cannot be folded, changing nothing.

    A failed event is passed over, to see whether others fail too.
    """
    found: list[Failure] = []
    transaction = connection.transaction()
    await transaction.start()
    try:
        for recorded in batch:
            for projection in projections:
                if isinstance(recorded.event, projection.handles):
                    name = await _try(connection, projection, recorded)
                    if name is not None:
                        found.append(_failure(projection, recorded, name))
            if len(found) >= MOST_FAILURES:
                break
    finally:
        await transaction.rollback()
    if not found:  # only together do they fail
        found = [Failure("", batch[0].position, "", type(error).__name__)]
    return RebuildFailed(tuple(found))


async def _try(
    connection: asyncpg.Connection, projection: Projection, recorded: Recorded
) -> str | None:
    """Return the name of the error a projection meets at an event, None for none."""
    try:
        async with connection.transaction():
            await projection.apply(connection, [recorded])
    except Exception as error:
        if connection.is_closed() or is_lost(error):
            raise
        return type(error).__name__
    return None


def _failure(projection: Projection, recorded: Recorded, error: str) -> Failure:
    return Failure(projection.name, recorded.position, tag_of(recorded.event), error)
