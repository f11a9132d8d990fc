"""Counts a topic as it grows, for as long as it is let."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final, Protocol

from infra.analytics.store import Moved, RollUps
from infra.postgres.connection import tirelessly
from infra.postgres.stored_row import StoredRow

LOOK: Final = 5.0
"""Seconds without an event, then it is looked whether all is to be counted anew."""


class Subscribe(Protocol):
    """Batches of stored events after a position, in order and without gaps.

    It goes on without end; an event may come again.
    """

    def __call__(self, after: int, /) -> AsyncGenerator[Sequence[StoredRow]]: ...


async def count_topic(
    subscribe: Subscribe,
    roll_ups: RollUps,
    *,
    until: int | None = None,
) -> None:
    """Count from where the roll-ups stand, up to a position or without end.

    A lost database is waited for. The event that was counted last is read again
    first, so that another log under the same name is noticed.

    Raises:
        OtherLog, Unreadable
    """
    while True:
        stands = await tirelessly(roll_ups.stands)
        if until is not None and stands.position >= until:
            return
        async with aclosing(subscribe(max(stands.position - 1, 0))) as batches:
            try:
                await _count(batches, roll_ups, stands.position, until)
            except Moved:
                continue
            return


async def _count(
    batches: AsyncGenerator[Sequence[StoredRow]],
    roll_ups: RollUps,
    reached: int,
    until: int | None,
) -> None:
    """Count batches as they come, up to a position or without end."""
    while until is None or reached < until:
        rows = await _next(batches, roll_ups, reached)
        await tirelessly(roll_ups.count, rows)
        reached = rows[-1].position


async def _next(
    batches: AsyncGenerator[Sequence[StoredRow]], roll_ups: RollUps, reached: int
) -> Sequence[StoredRow]:
    """Wait for a batch; while none comes, nothing else tells that all is forgotten.

    Raises:
        Moved
    """
    coming = asyncio.ensure_future(anext(batches))
    try:
        while not (await asyncio.wait({coming}, timeout=LOOK))[0]:
            stands = await tirelessly(roll_ups.stands)
            if stands.position < reached:
                raise Moved(stands.position)
        return coming.result()
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
