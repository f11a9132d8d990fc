"""``KAFKA_CONTENT=clear`` changes what strangers read, and nothing for who is fed."""

import asyncio
import contextlib

import pytest

from domain.conclusion import ConclusionDerived
from domain.event import ERASED
from domain.events import EVENT_BY_TAG
from infra.kafka.content import Opened, as_stored
from infra.postgres.mapper import StructMapper
from infra.upcasters import UPCASTERS
from tests.infra.test_feed_faults import once_for_all, processors
from tests.support.feeding import Scripted
from tests.support.kafka_feeding import kafka_feeding, settings
from tests.support.reactions import memory, opened
from tests.support.relaying import relaying, topic_read

__all__ = ["memory", "opened", "settings"]

pytestmark = pytest.mark.kafka


@pytest.fixture
def clear(opened):
    return Opened(StructMapper(EVENT_BY_TAG, UPCASTERS), opened.keys)


@pytest.fixture
async def feeding(opened, database, settings):
    async with kafka_feeding(database.dsn(), opened, settings) as feeding:
        await stopped(feeding.relay)
        yield feeding


async def stopped(relay):
    relay.task.cancel()
    await asyncio.gather(relay.task, return_exceptions=True)


@contextlib.asynccontextmanager
async def relayed(feeding, values):
    """Have it relayed in this way for a while."""
    async with relaying(
        feeding.dsn, feeding.log, feeding.settings, values
    ) as feeding.relay:
        yield


async def records(feeding):
    """Return what the topic has, in the order of positions."""
    found = await asyncio.to_thread(
        topic_read, feeding.settings, feeding.settings.kafka_topic, 3
    )
    each = [record for part in found.values() for record in part]
    return sorted(each, key=lambda record: record.row.position)


async def test_who_is_fed_does_the_same_whatever_the_content_is_changed_to(
    memory, feeding, clear
):
    scripted, said = Scripted(), []
    feeds = [await feeding.feed(scripted)]
    feeds += [await feeding.feed(each) for each in processors(memory)]
    for number, values in enumerate((as_stored, clear, as_stored, clear)):
        async with relayed(feeding, values):
            said.append(f"I like {number}.")
            [told] = await memory.say(said[-1], short_every=2)
            await feeding.relay.until(told.position)
            for feed in (*feeds, *feeds):  # what one adds the others are fed, too
                await feeding.until_idle(feed)
    contents = [
        each.content for each in await records(feeding) if "message" in each.row.type
    ]
    assert contents == ["sealed", "clear"] * 2
    assert scripted.texts("w/s") == said
    await once_for_all(memory)
    derived = await memory.events(ConclusionDerived)
    assert [each.content for each in derived] == [
        f"alice says I like {n}." for n in range(4)
    ]


async def test_what_is_erased_stays_in_the_topic_and_reaches_nobody_who_is_fed(
    memory, feeding, clear
):
    """But for what was erased before it was written: that is sealed, for ever."""
    async with relayed(feeding, clear):
        [told] = await memory.say("heliotrope", session="written")
        await feeding.relay.until(told.position)
    await memory.say("heliotrope", session="unwritten")
    await memory.say("tea", session="kept")
    for session in ("written", "unwritten"):
        assert await feeding.log.keys.destroy("w", session=session)
    async with relayed(feeding, clear):
        scripted = Scripted()
        await feeding.until_idle(await feeding.feed(scripted))
        found = await records(feeding)
    told = [(each.content, b"heliotrope" in each.row.data) for each in found]
    assert told == [("clear", True), ("sealed", False), ("clear", False)]
    assert scripted.texts("w/written") == scripted.texts("w/unwritten") == [ERASED]
    assert scripted.texts("w/kept") == ["tea"]
