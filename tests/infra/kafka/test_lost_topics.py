"""Topics whose records are gone: workers go on from the log, and then in the next."""

import asyncio
import contextlib
import gc

import pytest
from kafka import KafkaAdminClient, TopicPartition

from infra.kafka import producer
from infra.kafka.client import client_options
from infra.kafka.content import as_stored
from infra.kafka.filling import fill_next
from infra.kafka.relay import RelayParts
from infra.kafka.shard_ledger import ShardLedger
from infra.kafka.standing import relay_standing
from infra.kafka.topics import delete_topic
from tests.infra.kafka.test_shard_feed import part_of
from tests.infra.kafka.test_workers import until
from tests.support.feeding import Scripted
from tests.support.kafka_feeding import kafka_feeding, settings
from tests.support.reactions import memory, opened
from tests.support.relaying import Seen

__all__ = ["memory", "opened", "settings"]

pytestmark = pytest.mark.kafka


@pytest.fixture
async def feeding(opened, database, settings):
    async with kafka_feeding(database.dsn(), opened, settings) as feeding:
        yield feeding
    gc.collect()


@contextlib.asynccontextmanager
async def running(feed):
    task = asyncio.create_task(feed.run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def fed(memory, feeding):
    """A processor that is fed, and was told one thing so far."""
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    await memory.say("a")
    await feeding.until_idle(feed)
    async with running(feed):
        yield scripted


async def until_told(scripted, key, texts):
    async with asyncio.timeout(60):
        while scripted.texts(key) != texts:  # noqa: ASYNC110  a bounded wait
            await asyncio.sleep(0.05)


def goes_on_in(feeding, topic):
    """The feed has put on record that it goes on there, in all it feeds."""

    async def is_so():
        standing = await ShardLedger(feeding.pool, "scripted").standing()
        return {each.place.topic for each in standing.ranges if each.place} == {topic}

    return is_so


def is_stood_in_for(feeding, settings, expected):
    """Somebody is fed from the log, or nobody: it is looked once a second."""

    async def is_so():
        standing = await relay_standing(feeding.pool, settings)
        return (standing.stands_in is not None) == expected

    return is_so


async def cut_heads(settings, offsets):
    """Have retention take what is before these offsets."""

    def cut():
        admin = KafkaAdminClient(**client_options(settings, "test"))
        with contextlib.closing(admin):
            admin.delete_records(offsets)

    await asyncio.to_thread(cut)


async def test_what_is_cut_off_while_it_is_to_be_fetched_is_read_from_the_log(
    memory, feeding, settings
):
    async with fed(memory, feeding) as scripted:
        consumer = feeding.inflow.consumer
        places = [each.place for each in feeding.inflow._inlets.values()]
        await consumer.pause(places)
        said = await memory.say("b", "c", "d")
        await feeding.relay.until(said[-1].position)
        place = TopicPartition(settings.kafka_topic, part_of("s"))
        end = (await consumer.ends([place]))[place]
        await cut_heads(settings, {place: end})
        await consumer.resume(places)
        await until_told(scripted, "w/s", ["a", "b", "c", "d"])
        await memory.say("e")
        await until_told(scripted, "w/s", ["a", "b", "c", "d", "e"])


@pytest.fixture
def _impatient(monkeypatch):
    """A relay finds out sooner that what it writes is never acknowledged."""
    monkeypatch.setattr(producer, "ANSWERS_WITHIN", 1.0)
    monkeypatch.setattr(producer, "WRITES_WITHIN", 2.0)


@contextlib.asynccontextmanager
async def filled(feeding, settings, partitions=None):
    """Let the next generation serve."""
    rows = feeding.log.rows()
    parts = RelayParts(
        *(feeding.dsn, settings, feeding.relay.generations, rows, as_stored)
    )
    try:
        yield await fill_next(parts, partitions, Seen(), lambda _told: None)
    finally:
        rows.close()


@pytest.mark.usefixtures("_impatient")
async def test_a_topic_that_was_deleted_is_done_without_until_there_is_another(
    memory, feeding, settings
):
    async with fed(memory, feeding) as scripted:
        await delete_topic(settings, settings.kafka_topic)
        await memory.say("b")
        await memory.say("c")
        await until_told(scripted, "w/s", ["a", "b", "c"])
        await until(is_stood_in_for(feeding, settings, True))
        async with filled(feeding, settings) as following:
            await memory.say("d")
            await until_told(scripted, "w/s", ["a", "b", "c", "d"])
            await memory.say("e")
            await feeding.until_fetched()
            await until_told(scripted, "w/s", ["a", "b", "c", "d", "e"])
        await until(goes_on_in(feeding, following.topic))
        await until(is_stood_in_for(feeding, settings, False))


async def test_a_topic_that_is_deleted_before_all_of_it_is_read_is_passed_by(
    memory, feeding, settings
):
    """It has ended, and not everybody is past its end."""
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    await memory.say("a")
    await feeding.until_idle(feed)
    consumer = feeding.inflow.consumer
    await consumer.pause([each.place for each in feeding.inflow._inlets.values()])
    said = await memory.say("b", "c")
    await feeding.relay.until(said[-1].position)
    async with filled(feeding, settings, 5) as following, running(feed):
        await memory.say("d")
        await feeding.relay.until(said[-1].position + 1, number=2)
        assert scripted.texts("w/s") == ["a"]
        await delete_topic(settings, settings.kafka_topic)
        await until_told(scripted, "w/s", ["a", "b", "c", "d"])
        await memory.say("e")
        await until_told(scripted, "w/s", ["a", "b", "c", "d", "e"])
        await until(goes_on_in(feeding, following.topic))
