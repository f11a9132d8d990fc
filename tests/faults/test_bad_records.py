"""Records that should not be in the topic: repeated, foreign, damaged, out of place."""

import contextlib
import signal

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from infra.kafka.connecting import connecting
from infra.kafka.names import partition_of
from infra.kafka.record import outgoing
from tests.support.command import until
from tests.support.topic_law import read_topic, rows_of, send_again, serving

pytestmark = pytest.mark.kafka

AGAIN = 300


@contextlib.contextmanager
def producer(deployment):
    """Somebody who may write to the topic, and is no relay."""
    made = KafkaProducer(
        bootstrap_servers=deployment.cluster.servers, kafka_client=connecting
    )
    try:
        yield made
        made.flush(60)
    finally:
        made.close(60)


def send_row(sender, topic, partitions, row, **changed):
    """Send a record as the relay would, but for what is changed."""
    record = outgoing(row, changed.get("value", row.data), "sealed")
    headers = dict(record.headers) | changed.get("headers", {})
    sender.send(
        topic,
        key=record.key,
        value=changed.get("value", record.value),
        headers=[(name, value) for name, value in headers.items() if value is not None],
        partition=partition_of(row.shard, partitions),
        timestamp_ms=record.timestamp_ms,
    )


def dead_letters(deployment):
    """Count what is in the topic of dead letters; nothing while there is none."""
    consumer = KafkaConsumer(
        kafka_client=connecting,
        bootstrap_servers=deployment.cluster.servers.split(","),
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    try:
        parts = consumer.partitions_for_topic(deployment.dead_letters) or set()
        places = [TopicPartition(deployment.dead_letters, part) for part in parts]
        return sum(consumer.end_offsets(places).values()) if places else 0
    finally:
        consumer.close()


def test_what_a_zombie_writes_again_changes_nothing(deployment):
    """Consumers drop by position, and the next relay does not go back to it."""
    talk = deployment.talk(200, 20, rate=100)
    talk.until_said(100)
    topic, partitions = serving(deployment.fleet.postgres.dsn, deployment.topic)
    with producer(deployment) as sender:
        there = read_topic(deployment.cluster.servers, topic, partitions)
        again = [each for part in there for each in part][-AGAIN:]
        send_again(sender, topic, again)
        deployment.again += len(again)
    for each in deployment.fleet.of("relay"):
        each.kill()
    deployment.assert_lawful()


def test_what_nobody_can_read_is_set_aside_and_stops_nothing(deployment):
    """Garbage, a record without a value, and headers of somebody else."""
    before = dead_letters(deployment)
    talk = deployment.talk(150, 10, rate=100)
    talk.until_said(50)
    topic, partitions = serving(deployment.fleet.postgres.dsn, deployment.topic)
    with producer(deployment) as sender:
        for part in range(partitions):
            sender.send(topic, value=b"\x00\xff garbage", partition=part)
            sender.send(topic, key=b"k", value=None, partition=part)
            theirs = [("ce_type", b"theirs"), ("ce_position", b"many")]
            sender.send(topic, value=b"{}", headers=theirs, partition=part)
    deployment.foreign += 3 * partitions
    for each in deployment.fleet.of("relay"):  # the next one passes it over
        each.kill()
    deployment.assert_lawful()
    until(lambda: dead_letters(deployment) >= before + 3 * partitions)
    assert dead_letters(deployment) == before + 3 * partitions


def test_a_damaged_copy_does_not_take_the_place_of_what_it_is_a_copy_of(deployment):
    """Some come before their originals, some have a position the log has not.

    Whoever believed them would drop the originals as seen, and all that follows.
    """
    dsn = deployment.fleet.postgres.dsn
    topic, partitions = serving(dsn, deployment.topic)
    relays = deployment.fleet.of("relay")
    for each in relays:
        each.process.send_signal(signal.SIGSTOP)
    try:
        head = len(rows_of(dsn))
        talk = deployment.talk(60, 10)
        talk.finish()
        said = rows_of(dsn)[head:]
        firsts = {partition_of(row.shard, partitions): row for row in reversed(said)}
        with producer(deployment) as sender:
            for row in firsts.values():
                damaged = bytes([row.data[0] ^ 1]) + row.data[1:]
                send_row(sender, topic, partitions, row, value=damaged)
                beyond = {"ce_position": b"%d" % (row.position + 10**9)}
                send_row(sender, topic, partitions, row, headers=beyond)
                deployment.foreign += 2
    finally:
        for each in relays:
            each.process.send_signal(signal.SIGCONT)
    deployment.assert_lawful()
