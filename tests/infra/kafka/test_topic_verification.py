"""What is wrong with a topic is found and named, and nothing else is."""

import asyncio
import json
import os
import subprocess

import pytest
from kafka import KafkaProducer

from domain.events import EVENT_BY_TAG
from infra.kafka.client import client_options
from infra.kafka.content import Opened, as_stored
from infra.kafka.names import partition_of
from infra.kafka.record import outgoing
from infra.kafka.relay import RelayParts
from infra.kafka.topic_verification import verify_topic
from infra.postgres.mapper import StructMapper
from infra.upcasters import UPCASTERS
from tests.support.server import palimpsest
from tests.support.topic_copy import topic_copy

pytestmark = pytest.mark.kafka

SIZES = (7, 3, 5, 1, 4, 6, 2, 8)
ALL = sum(SIZES)


@pytest.fixture
async def copy(log_dsn, kafka_settings, log):
    async with topic_copy(log_dsn, kafka_settings, log) as opened:
        await opened.serve(1, 3)
        yield opened


async def verified(copy, values=as_stored):
    parts = RelayParts("", copy.settings, copy.generations, copy.rows, values)
    return await verify_topic(parts, lambda *_: None)


async def found(copy):
    [topic] = (await verified(copy)).topics
    return topic


def produce(copy, row, *, partition=None, position=None, **changed):
    """Write a record by hand, some of it changed."""
    record = outgoing(row, row.data, "sealed")
    fields = {
        "key": record.key,
        "value": record.value,
        "headers": record.headers,
        "timestamp_ms": record.timestamp_ms,
    }
    if position is not None:
        fields["headers"] = [
            (n, b"%d" % position if n == "ce_position" else v)
            for n, v in record.headers
        ]
    producer = KafkaProducer(**client_options(copy.settings, "by-hand"))
    producer.send(
        copy.settings.kafka_topic,
        partition=partition_of(row.shard, 3) if partition is None else partition,
        **fields | changed,
    ).get(60)
    producer.close()


async def test_a_topic_that_is_the_log_is_well(copy):
    rows = await copy.append(*SIZES)
    await copy.write(rows[:-3])
    report = await verified(copy)
    [topic] = report.topics
    assert (report.ok, report.head, report.behind) == (True, ALL, 3)
    assert (topic.compared, topic.through, topic.wrong) == (ALL - 3, ALL - 3, {})


async def test_what_the_relay_was_writing_when_it_began_is_compared_too(copy):
    rows = await copy.append(*SIZES)
    await copy.write(rows[:20])
    produce(copy, rows[22])
    produce(copy, rows[25], value=b"{}")
    topic = await found(copy)
    assert (topic.compared, topic.wrong) == (22, {"changed": 1})


async def test_what_is_missing_is_named(copy):
    await copy.write(await copy.append(*SIZES), lose=(1, 7, 8, ALL))
    report = await verified(copy)
    [topic] = report.topics
    assert not report.ok
    assert topic.wrong == {"missing": 4}
    assert [each.position for each in topic.examples] == [1, 7, 8, ALL]


async def test_what_is_there_twice_is_named(copy):
    rows = await copy.append(*SIZES)
    await copy.write(rows, twice=(3, ALL))
    produce(copy, rows[9])
    topic = await found(copy)
    assert topic.wrong == {"duplicated": 3}
    assert [each.position for each in topic.examples] == [3, ALL, 10]


async def test_what_comes_after_a_later_one_is_named_and_not_missing(copy):
    rows = await copy.append(*SIZES)
    await copy.write(rows, lose=(5,))
    produce(copy, rows[4])
    topic = await found(copy)
    assert topic.wrong == {"disordered": 1}
    assert [each.position for each in topic.examples] == [5]


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"value": b"{}"}, "value"),
        ({"key": b"other"}, "key"),
        ({"timestamp_ms": 1_000}, "timestamp"),
        ({"headers": [("ce_position", b"36")]}, "ce_type"),
    ],
)
async def test_what_is_changed_is_named(copy, changed, part):
    rows = await copy.append(*SIZES)
    await copy.write(rows[:-1])
    produce(copy, rows[-1], **changed)
    await copy.pool.execute("UPDATE work.topic SET position = 36")
    topic = await found(copy)
    assert topic.wrong == {"changed": 1}
    assert part in topic.examples[0].parts


async def test_what_is_in_another_partition_is_named(copy):
    rows = await copy.append(*SIZES)
    await copy.write(rows[:-1])
    other = (partition_of(rows[-1].shard, 3) + 1) % 3
    produce(copy, rows[-1], partition=other)
    topic = await found(copy)
    assert topic.wrong == {"misplaced": 1}


async def test_what_no_relay_wrote_is_named(copy):
    rows = await copy.append(*SIZES)
    await copy.write(rows)
    produce(copy, rows[0], headers=[])
    produce(copy, rows[0], position=ALL + 5)
    topic = await found(copy)
    assert topic.wrong == {"foreign": 1, "unknown": 1}


async def test_a_topic_that_is_gone_lacks_everything(copy):
    rows = await copy.append(*SIZES)
    await copy.write(rows)
    await copy.pool.execute("UPDATE work.topic SET topic = topic || '-gone'")
    topic = await found(copy)
    assert topic.wrong == {"missing": ALL}


async def test_clear_values_are_compared_by_who_has_their_keys(copy, log):
    rows = await copy.append(*SIZES)
    await copy.write(rows[:-2])
    opened = Opened(StructMapper(EVENT_BY_TAG, UPCASTERS), log.keys)
    right, wrong = await opened(rows[-2:])
    produce_clear(copy, right.row, right.value)
    produce_clear(copy, wrong.row, right.value)
    [sealed] = (await verified(copy)).topics
    assert (sealed.compared, sealed.unopened, sealed.wrong) == (ALL, 2, {})
    [clear] = (await verified(copy, opened)).topics
    assert (clear.compared, clear.unopened, clear.wrong) == (ALL, 0, {"changed": 1})
    assert (clear.examples[0].position, clear.examples[0].parts) == (ALL, ("value",))


def produce_clear(copy, row, value):
    headers = outgoing(row, value, "clear").headers
    produce(copy, row, value=value, headers=headers)


async def test_an_ended_generation_is_compared_as_far_as_it_goes_while_it_is_there(
    copy,
):
    rows = await copy.append(*SIZES)
    await copy.write(rows[:20])
    await copy.pool.execute(
        "UPDATE work.topic SET state = 'ended', ended_at = position"
    )
    await copy.serve(2, 2)
    await copy.write(rows)
    topics = (await verified(copy)).topics
    assert [(each.state, each.compared, each.wrong) for each in topics] == [
        *(("ended", 20, {}), ("serving", ALL, {})),
    ]
    await copy.pool.execute(
        "UPDATE work.topic SET topic = topic || '-gone' WHERE generation = 1"
    )
    assert [each.state for each in (await verified(copy)).topics] == ["serving"]


async def test_the_command_ends_with_1_where_anything_is_wrong(copy, log_dsn, kafka):
    rows = await copy.append(*SIZES)
    await copy.write(rows)
    produce(copy, rows[0])
    ended, told = await commanded(copy, log_dsn, kafka)
    assert (ended, told["topics"][0]["wrong"]) == (1, {"duplicated": 1})


async def commanded(copy, dsn, servers):
    """Run ``palimpsest relay verify --json``; return its exit code and what it said."""
    environment = {
        "DB_CONNECTION_URI": dsn,
        "KAFKA_BOOTSTRAP_SERVERS": servers,
        "KAFKA_TOPIC": copy.settings.kafka_topic,
    }
    process = await asyncio.create_subprocess_exec(
        *palimpsest("relay", "verify", "--json"),
        stdout=subprocess.PIPE,
        env=os.environ | environment,
    )
    said, _ = await process.communicate()
    return process.returncode, json.loads(said)
