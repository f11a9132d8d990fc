"""A writer that is fenced: nothing of the page it was writing is ever read."""

import asyncio
import threading
import time
from contextlib import closing

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from infra.kafka.client import client_options
from infra.kafka.producer import PageProducer
from infra.kafka.record import outgoing
from infra.kafka.topics import make_topic
from tests.infra.kafka.test_record import ROW
from tests.support.relaying import topic_read

pytestmark = pytest.mark.kafka


def records(*positions):
    page = {}
    for position in positions:
        record = outgoing(ROW._replace(position=position), ROW.data, "sealed")
        page.setdefault(position % 2, []).append(record)
    return page


class Slowly(dict):
    """Records of which some are sent, and the rest come when somebody says so."""

    def __init__(self, producer, page, later):
        super().__init__(page)
        self.producer = producer
        self.later = later
        self.thawed = threading.Event()

    def items(self):
        yield from super().items()
        while not self.thawed.wait(0.05):
            self.producer._sender.wakeup()
        yield from self.later.items()


@pytest.fixture
async def topic(kafka_settings):
    await make_topic(kafka_settings, kafka_settings.kafka_topic, 2)
    return kafka_settings.kafka_topic


@pytest.fixture
def producers(kafka_settings, topic):
    made = [PageProducer(kafka_settings, topic) for _ in range(2)]
    yield made
    for each in made:
        each.close()


async def test_a_page_in_flight_when_another_takes_over_is_never_read(
    kafka_settings, topic, producers
):
    """The former has sent half of it to the brokers, and ends it too late."""
    former, latter = producers
    await asyncio.to_thread(former.fence)
    await asyncio.to_thread(former.write, records(1, 2))
    slowly = Slowly(former, records(3, 4), records(5))
    writing = asyncio.create_task(asyncio.to_thread(former.write, slowly))
    await asyncio.to_thread(until_sent, kafka_settings, topic, 3)
    await asyncio.to_thread(latter.fence)
    await asyncio.to_thread(latter.write, records(3, 4, 5, 6))
    slowly.thawed.set()
    with pytest.raises(KafkaError):
        await writing
    with pytest.raises(KafkaError):
        await asyncio.to_thread(former.write, records(7))
    found = await asyncio.to_thread(topic_read, kafka_settings, topic, 2)
    positions = {p: [each.row.position for each in read] for p, read in found.items()}
    assert positions == {0: [2, 4, 6], 1: [1, 3, 5]}


def until_sent(settings, topic, end):
    """Wait until a partition has so many offsets, committed or not."""
    consumer = KafkaConsumer(**client_options(settings, "test"), group_id=None)
    with closing(consumer):
        place = TopicPartition(topic, 1)
        deadline = time.monotonic() + 60
        while consumer.end_offsets([place])[place] < end:
            assert time.monotonic() < deadline
