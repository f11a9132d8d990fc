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


class Feeds:
    """Feeds processors from the log, each in a task of its own.

    ``pool`` may change the processors' tables; it and all tasks end with the stack
    they were opened on.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        log: PostgresLog,
        give_way: GiveWay,
        telemetry: Telemetry,
        running: AsyncExitStack,
    ) -> None:
        self.pool = pool
        self._log = log
        self._give_way = give_way
        self.telemetry = telemetry
        self._running = running

    @classmethod
    async def open(
        cls,
        dsn: str,
        log: PostgresLog,
        give_way: GiveWay,
        telemetry: Telemetry,
        running: AsyncExitStack,
    ) -> "Feeds":
        """Open the connections of all of them."""
        role = await usable_role(dsn, "work")
        pool = await open_pool(dsn, role=role, name="palimpsest-work", size=3)
        running.push_async_callback(close_pool, pool)
        telemetry.pools["work"] = pool
        return cls(pool, log, give_way, telemetry, running)

    async def start(self, processors: Sequence[Processor]) -> list[asyncio.Task[None]]:
        """Feed these; return their tasks, in the same order.

        Raises:
            LogDiverged: one of them was fed from another log than this.
        """
        await _check(self.pool, {each.name for each in processors})
        return [await self._start(each) for each in processors]

    async def _start(self, processor: Processor) -> asyncio.Task[None]:
        follower = self._log.follow()
        self._running.callback(follower.close)
        ledger = FeedLedger(self.pool, processor.name)
        await ledger.begin()
        observers = self.telemetry.deliveries
        self.telemetry.fed.add(processor.name)
        feed = Feed(processor, follower, ledger, None, self._give_way, observers)
        task = asyncio.create_task(feed.run(), name=f"processor {processor.name}")
        self._running.push_async_callback(_stop, task)
        return task


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
