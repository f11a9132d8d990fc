"""A producer whose broker is lost in the middle of a page rests until it gives up."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import pytest
from kafka.errors import KafkaConnectionError, KafkaTimeoutError
from kafka.protocol.producer import ProduceRequest

from infra.kafka.producer import PageProducer
from infra.kafka.topics import make_topic
from tests.infra.kafka.test_fencing import records
from tests.support.server import free_port

pytestmark = pytest.mark.kafka

MOST = 150
"""Looks for news while a page waits for two seconds; thousands without a rest."""


@contextmanager
def frozen():
    """A port at which connections are taken and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def gone():
    """A port at which nobody is."""
    yield free_port()


@pytest.fixture
async def producer(kafka_settings):
    await make_topic(kafka_settings, kafka_settings.kafka_topic, 2)
    made = PageProducer(kafka_settings, kafka_settings.kafka_topic)
    await asyncio.to_thread(made.fence)
    await asyncio.to_thread(made.write, records(1, 2))
    yield made
    await asyncio.to_thread(made.close)


def losing(producer, port):
    """Once records are sent their broker is at another port; return looks since.

    A while after that it is given up.
    """
    client, looks = producer._sender._client, []
    manager, enough = client._manager, threading.Timer(2.0, producer.give_up)
    send, poll = manager.send, client.poll

    def send_and_lose(request, *args, **options):
        sent = send(request, *args, **options)
        if isinstance(request, ProduceRequest) and not looks:
            looks.append(0.0)
            enough.start()
            brokers = manager.cluster._brokers
            for each, broker in brokers.items():
                broker.port = port
                manager._conns[each].close(KafkaConnectionError())
        return sent

    def look(timeout_ms=None, future=None):
        if looks:
            looks.append(timeout_ms)
        return poll(timeout_ms=timeout_ms, future=future)

    manager.send, client.poll = send_and_lose, look
    return looks


@pytest.mark.parametrize("lost", [frozen, gone])
async def test_a_page_under_way_when_its_broker_is_lost_is_waited_for_at_rest(
    producer, lost
):
    with lost() as port:
        looks = losing(producer, port)
        with pytest.raises(KafkaTimeoutError):
            await asyncio.to_thread(producer.write, records(3, 4))
        assert 0 < len(looks) < MOST
