"""The relay, or who reads its topic, loses the brokers or the database, and goes on."""

import asyncio
import gc
import tracemalloc
from contextlib import ExitStack, aclosing
from functools import partial
from itertools import pairwise
from time import monotonic

import asyncpg
import pytest

from infra.analytics.counting import count_topic
from infra.analytics.store import RollUps
from infra.analytics.topic import open_topic
from infra.kafka import producer
from infra.kafka.generations import Generations
from infra.postgres.connection import FAILED
from infra.postgres.migrate import migrate_analytics
from tests.infra.kafka.test_relay import say
from tests.infra.kafka.test_workers import until as eventually
from tests.support.command import until
from tests.support.kafka import named_apart
from tests.support.kafka_broker import kafka_cluster, until_ready
from tests.support.needs import lacking
from tests.support.proxy import proxied
from tests.support.relay_process import RelayProcess
from tests.support.relaying import assert_copied, relaying
from tests.support.rollups import counted, recounted

pytestmark = pytest.mark.kafka

NAMED = {
    *("kafka_bootstrap_servers", "kafka_topic", "kafka_group_prefix"),
    "kafka_partitions",
}

TRIES = 3

_CUT_EVERYBODY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture(scope="module")
def line():
    """What stands before the broker."""
    return []


@pytest.fixture(scope="module")
def broker(tmp_path_factory, line):
    def behind(port):
        line.append(running.enter_context(proxied(port)))
        return line[0].port

    folder = tmp_path_factory.mktemp("kafka") / "one"
    with ExitStack() as running:
        try:
            with kafka_cluster(folder, behind=behind) as cluster:
                yield cluster.brokers[0]
        except RuntimeError as error:
            lacking("Apache Kafka through Maven", str(error))


@pytest.fixture
def settings(broker):
    yield named_apart(broker.address)
    gc.collect()


def warnings(caplog):
    return [
        each.getMessage() for each in caplog.records if each.name == "palimpsest.relay"
    ]


async def test_a_broker_that_is_frozen_lets_the_log_wait_and_nothing_pile_up(
    log_dsn, log, settings, broker
):
    async with relaying(log_dsn, log, settings) as relay:
        await relay.until(await say(log, 20))
        broker.freeze()
        try:
            last = await say(log, 20, size=50)
            await asyncio.sleep(1.5)
            tracemalloc.start()
            for _ in range(5):
                last = await say(log, 20, size=100)
            gc.collect()
            kept, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            pages = len(relay.seen.pages)
        finally:
            broker.thaw()
        # 10,000 events are 6 MB in the topic; a page waits, the rest is in the log.
        assert kept < 3 * 2**20
        generation = await relay.until(last)
        assert len(relay.seen.pages) <= pages + 5
    await assert_copied(log_dsn, settings, generation)


@pytest.mark.long
async def test_a_broker_that_is_gone_for_a_while_is_waited_for(
    log_dsn, log, settings, broker, caplog
):
    async with relaying(log_dsn, log, settings) as relay:
        await relay.until(await say(log, 20))
        await asyncio.to_thread(broker.kill)
        last = await say(log, 20, size=10)
        await asyncio.to_thread(broker.launch)
        await asyncio.to_thread(until_ready, broker)
        generation = await relay.until(last)
    assert len(warnings(caplog)) <= 2
    await assert_copied(log_dsn, settings, generation)


async def test_who_stops_a_relay_does_not_wait_for_a_broker(
    log_dsn, log, settings, broker, monkeypatch
):
    for bound in ("ANSWERS_WITHIN", "WRITES_WITHIN"):
        monkeypatch.setattr(producer, bound, 300.0)  # who waits would be found waiting
    async with relaying(log_dsn, log, settings) as relay:
        await relay.until(await say(log, 20))
        broker.freeze()
        await say(log, 20)
        await asyncio.sleep(0.5)
        relay.task.cancel()
        try:
            async with asyncio.timeout(60):
                await asyncio.gather(relay.task, return_exceptions=True)
        finally:
            broker.thaw()
    async with relaying(log_dsn, log, settings) as relay:
        generation = await relay.until(await log.rows().head())
    await assert_copied(log_dsn, settings, generation)


async def test_a_process_that_is_told_to_stop_does_not_wait_for_a_broker(
    log_dsn, log, settings, broker, tmp_path
):
    """Nor for its threads that ask one: supervisors kill after ten seconds."""
    async with asyncpg.create_pool(log_dsn, min_size=0, max_size=1) as pool:
        await Generations(pool, settings).begin(3)
    await say(log, 20)
    process = RelayProcess(log_dsn, settings.model_dump(include=NAMED), tmp_path)
    took = []
    broker.freeze()
    try:
        # A machine that is busy with others may take so long by itself, now and then.
        while len(took) < TRIES and (not took or took[-1] >= 10):
            process.start()
            begins = partial(process.says, "relays from", len(took) + 1)
            await asyncio.to_thread(until, begins)
            begun = monotonic()
            ended = await asyncio.to_thread(process.stop)
            took.append(monotonic() - begun)
            assert (ended, "Traceback" in process.log()) == (0, False), process.log()
    finally:
        broker.thaw()
        process.kill()
    assert took[-1] < 10, took


async def test_losing_the_database_again_and_again_loses_nothing(
    log_dsn, log, settings, caplog
):
    async with relaying(log_dsn, log, settings) as relay:
        for _ in range(3):
            last = await say(log, 20, size=20)
            connection = await asyncpg.connect(log_dsn)
            try:
                await connection.execute(_CUT_EVERYBODY)
            finally:
                await connection.close()
        generation = await relay.until(last)
    said = warnings(caplog)
    assert 0 < len(said) <= 6
    assert said[-1].startswith("The relay goes on at position")
    await assert_copied(log_dsn, settings, generation)


async def test_who_counts_the_topic_goes_on_whatever_it_is_cut_off_from(
    log_dsn, log, database, settings, line
):
    """In the middle of reading: brokers that are gone, are silent, and the database."""
    [proxy] = line
    loop, faults, read = asyncio.get_running_loop(), [], []
    await migrate_analytics(database.dsn())

    def away(begin):
        begin()
        loop.call_soon_threadsafe(loop.call_later, 1.5, proxy.mend)

    async def subscribe(after):
        async with aclosing(topic.subscribe(after)) as batches:
            async for rows in batches:
                read.append((rows[0].position, rows[-1].position))
                if faults and rows[-1].position < last:
                    await asyncio.to_thread(faults.pop())
                yield rows

    async def is_counted():
        assert not counting.done(), counting.exception()
        try:
            return (await RollUps(pool).stands()).position == last
        except FAILED:
            return False

    async def lose():
        for dsn in (log_dsn, database.dsn()):
            connection = await asyncpg.connect(dsn)
            try:
                await connection.execute(_CUT_EVERYBODY)
            finally:
                await connection.close()

    async with (
        relaying(log_dsn, log, settings) as relay,
        asyncpg.create_pool(database.dsn(), min_size=0, max_size=2) as pool,
        open_topic(log_dsn, settings) as topic,
    ):
        last = await say(log, 20)
        await relay.until(last)
        counting = asyncio.create_task(count_topic(subscribe, RollUps(pool)))
        for fault in (
            partial(away, proxy.cut),
            partial(away, proxy.stall),
            lambda: asyncio.run(lose()),
        ):
            faults.append(fault)
            last += 2_000
            await say(log, 20, size=100)
            await eventually(is_counted)
            assert not faults
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
        records = [
            e
            for n in range(4)
            for e in await log.store.read_log(after=n * 2_000, limit=2_000)
        ]
        assert await counted(pool) == recounted(
            (e.event, e.recorded_at) for e in records
        )
    assert len(records) == last
    assert all(one[1] + 1 == other[0] for one, other in pairwise(read)), read
