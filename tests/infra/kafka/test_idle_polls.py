"""A consumer polls seldom while nothing comes, and obeys at once all the same."""

import asyncio
from types import SimpleNamespace

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from infra.kafka import consuming
from infra.kafka.client import client_options
from infra.kafka.consumer_thread import ConsumerThread
from infra.kafka.consuming import Consuming
from infra.kafka.interrupting import Interruptible
from infra.kafka.place import Place
from tests.support.embedded import until


@pytest.mark.kafka
async def test_a_poll_under_way_ends_when_something_is_asked(
    kafka_settings, monkeypatch
):
    admin = KafkaAdminClient(**client_options(kafka_settings, "test"))
    admin.create_topics([NewTopic(kafka_settings.kafka_topic, 1, 1)])
    admin.close()
    monkeypatch.setattr(consuming, "POLL_MS", 3_600_000)
    consumer = ConsumerThread(client_options(kafka_settings, "test"))
    consumer.start()
    try:
        await consumer.assign({Place(kafka_settings.kafka_topic, 0): 0})
        polls = consumer._inside._polls
        for _ in range(3):
            await until(lambda: polls._waiting is not None)
            asking = consumer.parts(kafka_settings.kafka_topic)
            assert await asyncio.wait_for(asking, 60) == {0}
    finally:
        await consumer.close()
    assert not consumer._thread.is_alive()


def test_who_is_asked_before_the_poll_waits_for_no_records():
    waits = []
    consumer = SimpleNamespace(
        _net=None,
        _fetcher=SimpleNamespace(_fetch_futures=[]),
        _poll_once=lambda timer, most: waits.append((timer.timeout_ms > 0, most)) or 1,
    )
    wanted = []
    polls = Interruptible(lambda: bool(wanted))
    polls.poll(consumer, 60_000, 5)
    wanted.append(1)
    polls.poll(consumer, 60_000, 5)
    assert waits == [(True, 5), (False, 5)]
    assert all(each.is_done for each in consumer._fetcher._fetch_futures)
    polls.interrupt()


def test_who_is_told_to_stop_waits_for_no_topic():
    asked = []
    inside = Consuming({}, 1, lambda: None, lambda _: None)
    inside._client = SimpleNamespace(
        cluster=SimpleNamespace(
            partitions_for_topic=lambda _: None, request_update=lambda: asked.append(1)
        )
    )
    inside.stopping.set()
    inside.subscribe(SimpleNamespace(subscribe=lambda **_: None), ["t"])
    assert len(asked) <= 1
