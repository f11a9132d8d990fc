"""Feeds from the topic of a real broker, driven as those of the log are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic

import asyncpg
import pytest

from infra.delivery import FeedLimits
from infra.kafka.inflow import Inflow
from infra.kafka.inflow_wiring import open_inflow
from infra.kafka.shard_feed import ShardFeed
from infra.kafka.shard_ledger import ShardLedger
from infra.postgres.log import PostgresLog
from infra.postgres.tail import Tail
from infra.settings import Settings
from processors.processor import Processor
from tests.support.feeding import AT_ONCE, Feeding
from tests.support.kafka import named_apart
from tests.support.relaying import Relaying, relaying

WITHIN = 60.0


class KafkaFeeding(Feeding):
    """Makes feeds of one log's topic and lets them work; one worker for all of them."""

    def __init__(
        self,
        dsn: str,
        log: PostgresLog,
        pool: asyncpg.Pool,
        settings: Settings,
        relay: Relaying,
        heard: Tail,
        running: AsyncExitStack,
    ) -> None:
        super().__init__(log, pool)
        self.dsn = dsn
        self.settings = settings
        self.relay = relay
        self._heard = heard
        self._running = running
        self.inflow: Inflow | None = None

    async def feed(
        self,
        processor: Processor,
        limits: FeedLimits = AT_ONCE,
        ledger: ShardLedger | None = None,
    ) -> ShardFeed:
        ledger = ledger or ShardLedger(self.pool, processor.name)
        await ledger.begin()
        if self.inflow is None:
            self.inflow = await open_inflow(
                self.dsn, self.settings, self.pool, self.log, self._running
            )
        by_shards = self.log.by_shards()
        return ShardFeed(processor, self.inflow, by_shards, ledger, limits)

    async def until_idle(self, feed: ShardFeed, turns: int = 400) -> None:
        """Let a feed work until nothing is left to do at once."""
        for _ in range(turns):
            await self.until_fetched()
            if await feed.turn() is not None and await self._is_done(feed):
                return
        raise AssertionError("the feed never came to rest")

    async def until_fetched(self) -> None:
        """Wait until the worker has all there is in the log."""
        assert self.inflow is not None
        # Asked of the log of our own, it would tell whoever is fed what is there.
        head = await self.relay.rows.head()
        self._heard.advance(head)
        generation = await self.relay.until(head)
        until = monotonic() + WITHIN
        while True:
            assert monotonic() < until, vars(self.inflow)
            assert self.inflow.failed is None, self.inflow.failed
            inlets = self.inflow.inlets_of(generation)
            is_whole = len(inlets) == generation.partitions
            if is_whole and all(each.through >= head for each in inlets):
                return
            if any(each.paused for each in inlets):
                return
            self.inflow._look_at = 0.0
            self.inflow.consumer.nudge()
            await asyncio.sleep(0.01)

    async def _is_done(self, feed: ShardFeed) -> bool:
        standing = await feed._ledger.standing()
        return standing.position >= await self.relay.rows.head()


@asynccontextmanager
async def kafka_feeding(
    dsn: str, log: PostgresLog, settings: Settings
) -> AsyncIterator[KafkaFeeding]:
    heard = Tail()
    async with (
        relaying(dsn, log, settings, tail=heard) as relay,
        asyncpg.create_pool(dsn, min_size=1, max_size=4) as pool,
        AsyncExitStack() as running,
    ):
        yield KafkaFeeding(dsn, log, pool, settings, relay, heard, running)


@pytest.fixture
def settings(kafka):
    """A worker's, apart from all others of the same broker."""
    return named_apart(kafka, kafka_session_seconds=6)


@pytest.fixture(params=["postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
async def either_feeding(request, opened, database):
    """Feeds of the log, and the same of its topic."""
    if request.param == "postgres":
        async with asyncpg.create_pool(database.dsn(), min_size=1, max_size=4) as pool:
            yield Feeding(opened, pool)
        return
    apart = named_apart(request.getfixturevalue("kafka"), kafka_session_seconds=6)
    async with kafka_feeding(database.dsn(), opened, apart) as feeding:
        yield feeding
