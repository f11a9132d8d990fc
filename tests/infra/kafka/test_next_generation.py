"""The next generation: filled beside a running relay, and it serves from there on."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from infra.kafka import filling
from infra.kafka.filling import fill_next
from infra.kafka.generations import FillingUnderWay
from infra.kafka.relay_wiring import wire_relay
from infra.kafka.topics import delete_topic, make_topic, partitions_of
from infra.postgres.leadership import lead
from tests.infra.kafka.test_relay import say
from tests.support.relaying import Seen, assert_copied, produce_foreign, relaying

pytestmark = pytest.mark.kafka


@pytest.fixture
async def filler(log_dsn, tmp_path, kafka_settings):
    async with AsyncExitStack() as running:
        yield await wire_relay(log_dsn, tmp_path, kafka_settings, running)


async def fill(parts, partitions=None):
    told = []
    async with asyncio.timeout(60):
        serving = await fill_next(parts, partitions, Seen(), told.append)
    return serving, told


async def test_a_running_relay_goes_on_with_more_partitions(
    log_dsn, log, kafka_settings, filler
):
    for _ in range(15):
        await say(log, 100)
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await relay.until(1_500)
        saying = asyncio.create_task(say_on(log))
        serving, told = await fill(filler, 7)
        assert (serving.number, serving.partitions) == (2, 7)
        assert told[-1].position > told[-1].head - 1_100
        last = await saying
        generation = await relay.until(last, number=2)
    former, _ = await filler.generations.all()
    assert (former.state, former.ended_at) == ("ended", former.position)
    await assert_copied(log_dsn, kafka_settings, former, former.ended_at)
    await assert_copied(log_dsn, kafka_settings, generation)


async def say_on(log):
    for _ in range(40):
        last = await say(log, 20)
    return last


async def test_without_a_relay_the_command_changes_over(
    log_dsn, log, kafka_settings, filler
):
    last = await say(log, 10)
    serving, _ = await fill(filler, 2)
    assert (serving.number, serving.topic) == (2, f"{kafka_settings.kafka_topic}-g2")
    again, _ = await fill(filler, 2)
    assert again.number == 2
    async with relaying(log_dsn, log, kafka_settings) as relay:
        generation = await relay.until(last, number=2)
    await assert_copied(log_dsn, kafka_settings, generation)


async def test_a_topic_that_is_gone_is_lost_and_made_anew(
    log_dsn, log, kafka_settings, filler
):
    last = await say(log, 30)
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await relay.until(last)
    await delete_topic(kafka_settings, kafka_settings.kafka_topic)
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await relay.until_failed("TopicUnusable")
        await fill(filler)
        generation = await relay.until(last, number=2)
    former, _ = await filler.generations.all()
    assert (former.state, generation.partitions) == ("lost", 3)
    await assert_copied(log_dsn, kafka_settings, generation)


async def test_a_topic_that_lost_records_is_told_from_one_that_is_behind(
    log_dsn, log, kafka_settings
):
    last = await say(log, 30)
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await relay.until(last)
    topic = kafka_settings.kafka_topic
    await delete_topic(kafka_settings, topic)
    async with asyncio.timeout(60):
        while await partitions_of(kafka_settings, topic) is not None:
            pass
    await make_topic(kafka_settings, topic, 3)
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await relay.until_failed("TopicUnusable")


async def test_a_topic_somebody_else_wrote_to_is_not_written_to(
    log_dsn, log, kafka_settings, filler
):
    last = await say(log, 10)
    topic = f"{kafka_settings.kafka_topic}-g2"
    await make_topic(kafka_settings, topic, 3)
    await produce_foreign(kafka_settings, topic)
    serving, _ = await fill(filler)
    assert serving.number == 3
    states = [each.state for each in await filler.generations.all()]
    assert states == ["ended", "lost", "serving"]
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await assert_copied(log_dsn, kafka_settings, await relay.until(last, number=3))


async def test_a_filling_that_was_broken_off_goes_on_and_two_are_not_at_once(
    log_dsn, log, kafka_settings, filler, monkeypatch
):
    monkeypatch.setattr(filling, "_PATIENCE", 0.5)
    last = await say(log, 10)
    begun = await filler.generations.begin(3)
    begun = await filler.generations.add(5)
    serving, _ = await fill(filler, 5)
    assert serving.number == begun.number
    async with lead(log_dsn, f"filling of {kafka_settings.kafka_topic}"):
        with pytest.raises(FillingUnderWay):
            await fill(filler, 5)
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await assert_copied(log_dsn, kafka_settings, await relay.until(last, number=2))
