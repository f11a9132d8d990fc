"""The relay on a real broker: the topic is the log, whatever happens to the relay."""

import asyncio
from contextlib import closing
from types import SimpleNamespace

import msgspec
import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from infra.kafka.client import client_options
from infra.kafka.pace import Pace
from tests.support.log import request, said
from tests.support.relaying import WITHIN, assert_copied, relaying

pytestmark = pytest.mark.kafka


async def say(log, sessions, size=1):
    appended = await log.store.append(
        request(*(f"s{n}" for n in range(sessions)), size=size)
    )
    return appended.last


async def test_what_is_appended_is_in_the_topic(log_dsn, log, kafka_settings):
    await say(log, 20)
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await relay.until(20)
        last = await say(log, 20, size=3)
        generation = await relay.until(last)
    await assert_copied(log_dsn, kafka_settings, generation)


class Slow(Pace):
    """Rests after each page for so long that it has to be woken."""

    def wrote(self, rows):  # noqa: ARG002  whatever it holds
        self.rest = WITHIN


async def test_what_is_appended_in_a_rest_shares_a_page(
    log_dsn, log, kafka_settings, monkeypatch
):
    said = asyncio.Event()

    async def rest(seconds):
        waits = said.wait() if seconds == WITHIN else asyncio.sleep(seconds)
        await asyncio.wait_for(waits, WITHIN)

    monkeypatch.setattr("infra.kafka.relay.Pace", Slow)
    monkeypatch.setattr("infra.kafka.relay.asyncio", SimpleNamespace(sleep=rest))
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await relay.until(await say(log, 1))
        for _ in range(3):
            last = await say(log, 1)
        said.set()
        generation = await relay.until(last)
        assert [each.events for each in relay.seen.pages] == [1, 3]
    await assert_copied(log_dsn, kafka_settings, generation)


async def test_a_relay_goes_on_where_the_topic_ends(log_dsn, log, kafka_settings):
    for _ in range(3):
        last = await say(log, 10)
        async with relaying(log_dsn, log, kafka_settings) as relay:
            generation = await relay.until(last)
    await assert_copied(log_dsn, kafka_settings, generation)


async def say_much(log):
    """Say the most a message has, in the widest letters there are."""
    asked = request("s")
    [stream] = asked.streams
    wide = msgspec.structs.replace(stream, events=(said("\U0001f600" * 65_535),))
    return await log.store.append(msgspec.structs.replace(asked, streams=(wide,)))


async def test_the_largest_message_is_in_the_topic(log_dsn, log, kafka_settings):
    last = (await say_much(log)).last
    async with relaying(log_dsn, log, kafka_settings) as relay:
        generation = await relay.until(last)
    await assert_copied(log_dsn, kafka_settings, generation)


async def test_a_topic_made_by_hand_that_takes_too_little_is_named(
    log_dsn, log, kafka_settings
):
    small = NewTopic(
        kafka_settings.kafka_topic, 3, 1, topic_configs={"max.message.bytes": "9000"}
    )

    def make():
        admin = KafkaAdminClient(**client_options(kafka_settings, "by-hand"))
        with closing(admin):
            admin.create_topics([small])

    await asyncio.to_thread(make)
    await say_much(log)
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await relay.until_failed("MessageSizeTooLargeError")
