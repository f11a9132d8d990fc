"""Feeds over a real log, and processors that do what a test tells them."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import asyncpg
import pytest

from domain.session import MessageAdded
from infra.delivery import FeedLimits
from infra.feed import Feed
from infra.feed_ledger import FeedLedger
from infra.parking import Parking
from infra.postgres.embedded import ClusterAddress
from infra.postgres.log import PostgresLog
from processors.processor import Batch, Done, Outcome, Processor

AT_ONCE = FeedLimits(first_wait=timedelta(), longest_wait=timedelta(), idle=0.05)
"""Limits under which whatever failed is due again at once."""


class Scripted:
    """A processor that keeps what it was delivered and answers as told."""

    name = "scripted"
    handles = (MessageAdded,)

    def __init__(self, answer: Callable[[Batch], Outcome] | None = None) -> None:
        self.delivered: list[tuple[str, list[str]]] = []
        self.answer = answer or (lambda _batch: Done())

    async def __call__(self, batch: Batch) -> Outcome:
        texts = [each.event.content for each in batch.events]
        self.delivered.append((batch.ordering_key, texts))
        return self.answer(batch)

    def texts(self, key: str) -> list[str]:
        return [t for k, texts in self.delivered if k == key for t in texts]


class Feeding:
    """Makes feeds of one log and lets them work."""

    def __init__(self, log: PostgresLog, pool: asyncpg.Pool) -> None:
        self.log = log
        self.pool = pool
        self.parking = Parking(pool)

    async def feed(self, processor: Processor, limits: FeedLimits = AT_ONCE) -> Feed:
        ledger = FeedLedger(self.pool, processor.name)
        await ledger.begin()
        return Feed(processor, self.log.follow(), ledger, limits)

    async def until_fetched(self) -> None:
        """Wait until feeds have at hand what is in the log; from the log they do."""

    async def until_idle(self, feed: Feed, turns: int = 200) -> None:
        """Let a feed work until nothing is left to do at once."""
        for _ in range(turns):
            if await feed.turn() is not None:
                return
        raise AssertionError("the feed never came to rest")


@pytest.fixture
async def feeding(
    opened: PostgresLog, database: ClusterAddress
) -> AsyncIterator[Feeding]:
    async with asyncpg.create_pool(database.dsn(), min_size=1, max_size=4) as pool:
        yield Feeding(opened, pool)
