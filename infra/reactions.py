"""What follows by itself: every processor, wired and fed from the log."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack

import asyncpg

from infra.feed import Feed
from infra.feed_ledger import FeedLedger
from infra.postgres.checkpoints import LogDiverged
from infra.postgres.connection import close_pool, open_pool
from infra.postgres.log import PostgresLog
from infra.postgres.role import usable_role
from infra.proof.consumers import diverged_processors
from infra.telemetry.telemetry import Telemetry
from infra.traffic import GiveWay
from processors.processor import Processor


async def feed_processors(
    dsn: str,
    log: PostgresLog,
    processors: Sequence[Processor],
    give_way: GiveWay,
    telemetry: Telemetry,
    running: AsyncExitStack,
) -> set[asyncio.Task[None]]:
    """Feed each processor from the log, in a task of its own, until the stack ends.

    Raises:
        LogDiverged: one of them was fed from another log than this.
    """
    tasks: set[asyncio.Task[None]] = set()
    role = await usable_role(dsn, "work")
    pool = await open_pool(dsn, role=role, name="palimpsest-work", size=3)
    running.push_async_callback(close_pool, pool)
    telemetry.pools["work"] = pool
    await _check(pool, {each.name for each in processors})
    for processor in processors:
        follower = log.follow()
        running.callback(follower.close)
        ledger = FeedLedger(pool, processor.name)
        observers = telemetry.deliveries
        feed = Feed(processor, follower, ledger, None, give_way, observers)
        task = asyncio.create_task(feed.run(), name=f"processor {processor.name}")
        running.push_async_callback(_stop, task)
        tasks.add(task)
    return tasks


async def _check(pool: asyncpg.Pool, names: Collection[str]) -> None:
    for each in await diverged_processors(pool):
        if each.name in names:
            raise LogDiverged(
                f"The {each}: an older log, or another, was put in place. Put the right"
                f" one back, or run palimpsest reset {each.name}"
            )


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
