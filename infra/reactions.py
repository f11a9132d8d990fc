"""What follows by itself: every processor, wired and fed from the log."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from infra.feed import Feed
from infra.feed_ledger import FeedLedger
from infra.postgres.connection import close_pool, open_pool
from infra.postgres.log import PostgresLog
from infra.postgres.role import usable_role
from infra.traffic import GiveWay
from processors.processor import Processor


async def feed_processors(
    dsn: str,
    log: PostgresLog,
    processors: Sequence[Processor],
    give_way: GiveWay,
    running: AsyncExitStack,
) -> set[asyncio.Task[None]]:
    """Feed each processor from the log, in a task of its own, until the stack ends."""
    tasks: set[asyncio.Task[None]] = set()
    role = await usable_role(dsn, "work")
    pool = await open_pool(dsn, role=role, name="palimpsest-work", size=3)
    running.push_async_callback(close_pool, pool)
    for processor in processors:
        follower = log.follow()
        running.callback(follower.close)
        ledger = FeedLedger(pool, processor.name)
        feed = Feed(processor, follower, ledger, give_way=give_way)
        task = asyncio.create_task(feed.run(), name=f"processor {processor.name}")
        running.push_async_callback(_stop, task)
        tasks.add(task)
    return tasks


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
