"""What follows by itself: every processor, wired and fed: from the log or its topic."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, closing
from functools import partial
from typing import TYPE_CHECKING

import asyncpg

from infra.feed import Feed
from infra.feed_ledger import FeedLedger
from infra.limits import feed_limits_of
from infra.postgres.checkpoints import LogDiverged
from infra.postgres.connection import close_pool, open_pool
from infra.postgres.log import PostgresLog
from infra.postgres.role import usable_role
from infra.proof.consumers import diverged_processors
from infra.settings import Settings
from infra.stopping import stop
from infra.telemetry.telemetry import Telemetry
from infra.traffic import GiveWay
from infra.turns import Turns
from processors.processor import Processor

if TYPE_CHECKING:
    from infra.kafka.inflow import Inflow
    from infra.kafka.shard_feed import ShardFeed
    from infra.kafka.shard_ranges import ShardRanges


class Feeds:
    """Feeds processors, each in a task of its own, as ``FEED_TYPE`` says.

    From the log, one of several processes feeds a processor at a time (``turns``): to
    feed it twice would be to do its work twice. From the topic they share its
    partitions. ``pool`` may change the processors' tables; it and all tasks end with
    the stack they were opened on.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        log: PostgresLog,
        settings: Settings,
        give_way: GiveWay,
        telemetry: Telemetry,
        turns: Turns,
        running: AsyncExitStack,
    ) -> None:
        self.pool = pool
        self.turns = turns
        self._settings = settings
        self._inflow: Inflow | None = None
        self._ranges: ShardRanges | None = None
        self._log = log
        self._give_way = give_way
        self.telemetry = telemetry
        self._running = running

    @classmethod
    async def open(
        cls,
        dsn: str,
        log: PostgresLog,
        settings: Settings,
        give_way: GiveWay,
        telemetry: Telemetry,
        running: AsyncExitStack,
    ) -> "Feeds":
        """Open the connections of all of them."""
        role = await usable_role(dsn, "work")
        pool = await open_pool(dsn, role=role, name="palimpsest-work", size=3)
        running.push_async_callback(close_pool, pool)
        telemetry.pools["work"] = pool
        turns = Turns.open(dsn, running)
        return cls(pool, log, settings, give_way, telemetry, turns, running)

    async def start(self, processors: Sequence[Processor]) -> list[asyncio.Task[None]]:
        """Feed these; return their tasks, in the same order.

        Raises:
            LogDiverged: one of them was fed from another log than this.
        """
        await _check(self.pool, {each.name for each in processors})
        return [await self._start(each) for each in processors]

    async def _start(self, processor: Processor) -> asyncio.Task[None]:
        self.telemetry.fed.add(processor.name)
        what = f"processor {processor.name}"
        if self._settings.feed_type == "kafka":
            feeding = (await self._by_topic(processor)).run()
        else:
            ledger = FeedLedger(self.pool, processor.name)
            await ledger.begin()
            feeding = self.turns.whenever(what, partial(self._feed, processor, ledger))
        task = asyncio.create_task(feeding, name=what)
        self._running.push_async_callback(stop, task)
        return task

    async def _by_topic(self, processor: Processor) -> "ShardFeed":
        from infra.kafka.inflow_wiring import open_inflow  # noqa: PLC0415  its packages
        from infra.kafka.shard_feed import ShardFeed  # noqa: PLC0415
        from infra.kafka.shard_ledger import ShardLedger  # noqa: PLC0415
        from infra.kafka.shard_ranges import ShardRanges  # noqa: PLC0415

        self._ranges = self._ranges or ShardRanges(self.pool)
        ledger = ShardLedger(self.pool, processor.name, self._ranges)
        await ledger.begin()
        if self._inflow is None:
            self._inflow = self.telemetry.inflow = await open_inflow(
                *(self.turns.dsn, self._settings, self.pool, self._log),
                self._running,
            )
            troubles = (self._inflow.consumer.away, self._inflow.letters.waits)
            self.telemetry.troubles += [each.detail for each in troubles]
        return ShardFeed(
            processor,
            self._inflow,
            self._log.by_shards(),
            ledger,
            feed_limits_of(self._settings),
            self._give_way,
            self.telemetry.deliveries,
        )

    async def _feed(self, processor: Processor, ledger: FeedLedger) -> None:
        # Opened with the turn: who only waits for it keeps nothing of what is said.
        with closing(self._log.follow()) as log:
            limits, observers = (
                feed_limits_of(self._settings),
                self.telemetry.deliveries,
            )
            feed = Feed(processor, log, ledger, limits, self._give_way, observers)
            await feed.run()


async def _check(pool: asyncpg.Pool, names: Collection[str]) -> None:
    for each in await diverged_processors(pool):
        if each.name in names:
            raise LogDiverged(
                f"The {each}: an older log, or another, was put in place. Put the right"
                f" one back, or run palimpsest reset {each.name}"
            )
