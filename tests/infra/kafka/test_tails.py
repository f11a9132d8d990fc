"""How far a topic is, where somebody else wrote behind the relay."""

import asyncio
from contextlib import closing

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from infra.kafka.client import client_options
from tests.infra.kafka.test_relay import say
from tests.support.relaying import produce_foreign, relaying, topic_read
from tests.support.topic_law import assert_topic_equals_log, read_topic, send_again

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("again", [1, 300])
async def test_copies_and_garbage_behind_it_are_passed_over(
    log_dsn, log, kafka_settings, again
):
    last = await say(log, 400)
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await relay.until(last)
    topic = kafka_settings.kafka_topic
    await asyncio.to_thread(repeat, kafka_settings, again)
    await produce_foreign(kafka_settings, topic)
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await relay.until(await say(log, 50))
    servers = kafka_settings.kafka_bootstrap_servers
    await asyncio.to_thread(
        assert_topic_equals_log,
        *(servers, topic, log_dsn),
        foreign=1,
        again=again * kafka_settings.kafka_partitions,
    )


@pytest.mark.parametrize("emptied", [1, 3])
async def test_what_retention_took_is_not_lost(log_dsn, log, kafka_settings, emptied):
    """The topic is not what is left of one that was made anew: it goes on."""
    before = await say(log, 60)
    async with relaying(log_dsn, log, kafka_settings) as relay:
        await relay.until(before)
    topic = kafka_settings.kafka_topic
    await asyncio.to_thread(empty, kafka_settings, topic, emptied)
    async with relaying(log_dsn, log, kafka_settings) as relay:
        last = await say(log, 60)
        await relay.until(last)
    assert relay.seen.failures == []
    found = await asyncio.to_thread(topic_read, kafka_settings, topic, 3)
    said = [each.row.position for part in range(emptied) for each in found[part]]
    assert said
    assert min(said) > before
    both = [each.row.position for read in found.values() for each in read]
    assert set(range(before + 1, last + 1)) <= set(both)
    assert len(both) == len(set(both))


def empty(settings, topic, partitions):
    """Take all records of some partitions away, as retention does."""
    admin = KafkaAdminClient(**client_options(settings, "retention"))
    with closing(admin):
        places = [TopicPartition(topic, each) for each in range(partitions)]
        admin.delete_records(dict.fromkeys(places, -1))


def repeat(settings, count):
    """Write the first records of each partition once more, as a zombie might."""
    topic, servers = settings.kafka_topic, settings.kafka_bootstrap_servers
    there = read_topic(servers, topic, settings.kafka_partitions)
    producer = KafkaProducer(**client_options(settings, "zombie"))
    with closing(producer):
        for records in there:
            again = [records[number % len(records)] for number in range(count)]
            send_again(producer, topic, again)
        producer.flush(60)
