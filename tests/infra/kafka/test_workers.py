"""Workers come and go under load: nothing is lost, each key in order, effects once."""

import asyncio
import contextlib

import asyncpg
import pytest
from prometheus_client import generate_latest

from domain.conclusion import ConclusionDerived
from domain.session import MessageAdded
from infra.delivery import FeedLimits
from infra.kafka.inflow_wiring import open_inflow
from infra.kafka.shard_feed import ShardFeed
from infra.kafka.shard_ledger import ShardLedger
from infra.telemetry.metrics import Metrics
from processors.processor import Done
from tests.infra.test_feed_faults import once_for_all, processors
from tests.support.kafka import named_apart
from tests.support.reactions import memory, opened
from tests.support.relaying import relaying

__all__ = ["memory", "opened"]

pytestmark = pytest.mark.kafka

QUICK = FeedLimits(idle=0.1)
SESSIONS = [f"s{number}" for number in range(12)]


class Noted:
    """A processor of a worker that notes, for all of them, what it was delivered."""

    name = "noted"
    handles = (MessageAdded,)

    def __init__(self, worker, noted, takes=0.0):
        self.worker = worker
        self.noted = noted
        self.takes = takes

    async def __call__(self, batch):
        await asyncio.sleep(self.takes)
        self.noted += [
            (batch.ordering_key, each.event.seq, self.worker) for each in batch.events
        ]
        return Done()


class Worker:
    """A member of the group, in this process, as long as the block is not left."""

    def __init__(self, dsn, log, settings):
        self.dsn = dsn
        self.log = log
        self.settings = settings

    @contextlib.asynccontextmanager
    async def feeding(self, *reactions):
        async with (
            asyncpg.create_pool(self.dsn, min_size=1, max_size=4) as pool,
            contextlib.AsyncExitStack() as running,
        ):
            for each in reactions:
                await ShardLedger(pool, each.name).begin()
            inflow = await open_inflow(self.dsn, self.settings, pool, self.log, running)
            feeds = [
                ShardFeed(
                    each,
                    inflow,
                    self.log.by_shards(),
                    ShardLedger(pool, each.name),
                    QUICK,
                )
                for each in reactions
            ]
            tasks = [asyncio.create_task(each.run()) for each in feeds]
            try:
                yield inflow
            finally:
                for each in tasks:
                    each.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition, bound=60.0):
    async with asyncio.timeout(bound):
        while not await condition():  # noqa: ASYNC110  a bounded wait
            await asyncio.sleep(0.05)


async def talk(memory, rounds):
    for number in range(rounds):
        for session in SESSIONS:
            await memory.say(f"I like {number}.", session=session)


def stands(worker, name, position):
    async def is_there():
        connection = await asyncpg.connect(worker.dsn)
        try:
            return position <= await connection.fetchval(
                "SELECT coalesce(min(position), -1) FROM work.progress"
                " WHERE processor = $1",
                name,
            )
        finally:
            await connection.close()

    return is_there


def has_worked(worker, noted):
    async def is_so():
        return worker in {each for _, _, each in noted}

    return is_so


async def has(inflow, *places):
    """Wait until it has so many, or so many."""

    async def is_so():
        return inflow.places in places

    await until(is_so)


async def test_workers_come_and_go(memory, opened, database, kafka):
    settings = named_apart(kafka, kafka_session_seconds=6, kafka_partitions=4)
    dsn, noted = database.dsn(), []
    one, two, three = (Worker(dsn, opened, settings) for _ in range(3))
    async with relaying(dsn, opened, settings):
        talking = asyncio.create_task(talk(memory, 20))
        async with one.feeding(Noted(1, noted, 0.01), *processors(memory)) as first:
            await has(first, 4)
            async with two.feeding(Noted(2, noted, 0.01), *processors(memory)) as more:
                await has(more, 2)
                await has(first, 2)
                async with three.feeding(Noted(3, noted), *processors(memory)) as last:
                    await has(last, 1, 2)  # three share four: one of them has two
                    await talk(memory, 3)
                    await until(has_worked(3, noted))
                await until(has_worked(2, noted))
            await has(first, 4)
            await talking
            # What is derived, summed up and embedded is in the log, too.
            for name in ("noted", "derive_conclusions", "embed_memory"):
                head = await memory.log.store.head()
                await until(stands(one, name, head))
            head = await memory.log.store.head()
            await until(stands(one, "embed_memory", head))
            metrics = Metrics("test", 10)
            metrics.fed_from(first)
            told = generate_latest(metrics.series.registry).decode()
            assert 'palimpsest_feed_partitions{namespace="test"} 4.0' in told
            assert told.count('_lag_positions{consumer="embed_memory"') == 4
            assert first.rebalances >= 3
    for session in SESSIONS:
        seqs = [seq for key, seq, _ in noted if key == f"w/{session}"]
        firsts = list(dict.fromkeys(seqs))
        assert firsts == list(range(1, 24))
    assert {worker for _, _, worker in noted} == {1, 2, 3}
    await once_for_all(memory)
    assert len(await memory.events(ConclusionDerived)) >= 20 * 12
