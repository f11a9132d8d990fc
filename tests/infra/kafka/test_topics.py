"""Topics on a real broker: kept for ever, made once, and told when they are gone."""

import asyncio

import asyncpg
import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from infra.kafka.client import client_options
from infra.kafka.generations import Generations
from infra.kafka.topics import (
    delete_topic,
    make_topic,
    partitions_of,
    serving_generation,
)

pytestmark = pytest.mark.kafka


async def test_several_that_begin_at_once_have_one_topic(kafka_settings, log_dsn):
    async with asyncpg.create_pool(log_dsn, min_size=1, max_size=3) as pool:
        generations = Generations(pool, kafka_settings)
        found = await asyncio.gather(
            *(serving_generation(generations, kafka_settings) for _ in range(3))
        )
        assert found == [found[0]] * 3
        assert [found[0]] == await generations.all()
    assert await partitions_of(kafka_settings, found[0].topic) == 3


async def test_a_topic_made_by_hand_keeps_its_partitions(kafka_settings, log_dsn):
    await make_topic(kafka_settings, kafka_settings.kafka_topic, 5)
    async with asyncpg.create_pool(log_dsn, min_size=1, max_size=1) as pool:
        found = await serving_generation(
            Generations(pool, kafka_settings), kafka_settings
        )
    assert found.partitions == 5


async def test_a_topic_keeps_everything(kafka_settings):
    topic = kafka_settings.kafka_topic
    await make_topic(kafka_settings, topic, 2)

    def described():
        admin = KafkaAdminClient(**client_options(kafka_settings, "test"))
        try:
            asked = ConfigResource(ConfigResourceType.TOPIC, topic)
            return admin.describe_configs([asked])
        finally:
            admin.close()

    told = (await asyncio.to_thread(described))["topic"][topic]
    assert told["retention.ms"]["value"] == "-1"
    assert told["min.insync.replicas"]["value"] == "1"
    assert told["message.timestamp.type"]["value"] == "CreateTime"


async def test_a_topic_that_is_gone_has_no_partitions(kafka_settings):
    topic = kafka_settings.kafka_topic
    await make_topic(kafka_settings, topic, 1)
    await delete_topic(kafka_settings, topic)
    await delete_topic(kafka_settings, topic)
    async with asyncio.timeout(60):
        while await partitions_of(kafka_settings, topic) is not None:
            pass
