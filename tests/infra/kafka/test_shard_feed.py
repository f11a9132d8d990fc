"""What is particular to the topic: foreign records, parts that are gone, other cuts."""

import asyncio
import time
from contextlib import closing
from time import monotonic

import asyncpg
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.record.default_records import DefaultRecordBatch

from domain.names import session_stream, shard_of
from infra.delivery import FeedLimits
from infra.feed import Feed
from infra.feed_ledger import FeedLedger
from infra.kafka.client import client_options
from infra.kafka.content import as_stored
from infra.kafka.dead_letters import DeadLetters
from infra.kafka.filling import fill_next
from infra.kafka.names import partition_of
from infra.kafka.record import outgoing
from infra.kafka.relay import RelayParts
from infra.kafka.shard_ledger import ShardLedger
from infra.postgres.stored_row import COLUMNS, StoredRow
from processors.processor import Done, Park
from tests.support.feeding import AT_ONCE, Scripted
from tests.support.kafka import named_apart
from tests.support.kafka_feeding import kafka_feeding, settings
from tests.support.reactions import memory, opened
from tests.support.relaying import Seen

__all__ = ["memory", "opened", "settings"]

pytestmark = pytest.mark.kafka


@pytest.fixture
async def feeding(opened, database, settings):
    async with kafka_feeding(database.dsn(), opened, settings) as feeding:
        yield feeding


def part_of(session):
    return partition_of(shard_of(session_stream("w", session).ordering_key), 3)


def produce(settings, topic, part, value, headers=()):
    producer = KafkaProducer(**client_options(settings, "stranger"))
    sent = producer.send(topic, value, partition=part, headers=list(headers))
    offset = sent.get(60).offset
    producer.close()
    return offset


async def letters(settings, count=1):
    """Return the headers and value of each dead letter, once so many are there."""

    def read():
        consumer = KafkaConsumer(**client_options(settings, "mortician"), group_id=None)
        place = TopicPartition(settings.kafka_dead_letters_topic, 0)
        found, deadline = [], monotonic() + 60
        with closing(consumer):
            while not consumer.partitions_for_topic(place.topic):
                assert monotonic() < deadline
                time.sleep(0.1)
            consumer.assign([place])
            consumer.seek_to_beginning()
            end = count
            while consumer.position(place) < end:
                assert monotonic() < deadline, found
                for records in consumer.poll(100).values():
                    found += [(dict(each.headers), each.value) for each in records]
                end = max(count, consumer.end_offsets([place])[place])
        return found

    return await asyncio.to_thread(read)


async def stored(database, position):
    connection = await asyncpg.connect(database.dsn())
    try:
        row = await connection.fetchrow(
            f"SELECT {COLUMNS} FROM log.event WHERE position = $1",  # noqa: S608
            position,
        )
        return StoredRow(*row)
    finally:
        await connection.close()


async def test_a_foreign_record_is_told_of_and_passed(memory, feeding, settings):
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    await memory.say("a")
    await feeding.until_idle(feed)
    topic = settings.kafka_topic
    offset = produce(settings, topic, part_of("s"), b"nonsense")
    await memory.say("b")
    await feeding.until_idle(feed)
    assert scripted.texts("w/s") == ["a", "b"]
    [(headers, value)] = await letters(settings)
    assert value == b"nonsense"
    assert headers["letter-topic"] == topic.encode()
    assert int(headers["letter-partition"]) == part_of("s")
    assert int(headers["letter-offset"]) == offset
    assert b"missing" in headers["letter-reason"]


async def test_a_damaged_copy_is_read_from_the_log(memory, feeding, settings, database):
    """The relay is overtaken by a copy of its next record whose bytes are wrong."""
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    await memory.say("a")
    await feeding.until_idle(feed)
    feeding.relay.task.cancel()
    await asyncio.gather(feeding.relay.task, return_exceptions=True)
    [said] = await memory.say("b")
    row = await stored(database, said.position)
    record = outgoing(row, row.data, "sealed")
    wrong = record.value.replace(b'"sealed":"', b'"sealed":"AAAA')
    produce(settings, settings.kafka_topic, part_of("s"), wrong, record.headers)
    async with asyncio.timeout(60):
        while scripted.texts("w/s") != ["a", "b"]:
            await feed.turn()
            await asyncio.sleep(0.05)
    [(headers, _)] = await letters(settings)
    assert headers["ce_position"] == b"%d" % said.position


async def test_a_forged_position_moves_nobody_past_what_is_to_come(
    memory, feeding, settings, database
):
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    [said] = await memory.say("a")
    await feeding.until_idle(feed)
    row = await stored(database, said.position)
    forged = outgoing(row._replace(position=10**9), row.data, "sealed")
    produce(settings, settings.kafka_topic, part_of("s"), forged.value, forged.headers)
    await memory.say("b", "c")
    await feeding.until_idle(feed)
    assert scripted.texts("w/s") == ["a", "b", "c"]
    [(headers, _)] = await letters(settings)
    assert b"no such event" in headers["letter-reason"]


async def test_a_forged_position_of_the_past_hides_nothing_either(
    memory, feeding, settings, database
):
    """At or below the head of the log, with the relay further behind."""
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    [said] = await memory.say("a")
    await feeding.until_idle(feed)
    feeding.relay.task.cancel()
    await asyncio.gather(feeding.relay.task, return_exceptions=True)
    [b, c] = await memory.say("b", "c")
    row = await stored(database, said.position)
    for position in (c.position, b.position):
        forged = outgoing(row._replace(position=position), row.data, "sealed")
        topic = settings.kafka_topic
        produce(settings, topic, part_of("s"), forged.value, forged.headers)
    for true in (b, c):
        row = await stored(database, true.position)
        sent = outgoing(row, row.data, "sealed")
        produce(settings, settings.kafka_topic, part_of("s"), sent.value, sent.headers)
    async with asyncio.timeout(60):
        while len(scripted.texts("w/s")) < 3:
            await feed.turn()
            await asyncio.sleep(0.05)
    assert scripted.texts("w/s") == ["a", "b", "c"]
    reasons = [headers["letter-reason"] for headers, _ in await letters(settings, 2)]
    assert len(reasons) == 2
    assert all(b"no such event" in each for each in reasons)


async def test_bytes_that_are_no_records_are_told_of_and_read_from_the_log(
    memory, feeding, settings, monkeypatch
):
    """A disk or a copy damaged a batch: its checksum is wrong, however often read."""
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    await memory.say("a")
    await feeding.until_idle(feed)
    checked = DefaultRecordBatch.validate_crc
    damaged = []

    def validate_crc(batch):
        if not damaged and batch.magic == 2 and not batch.is_control_batch:
            damaged.append(batch.base_offset)
        return batch.base_offset not in damaged and checked(batch)

    monkeypatch.setattr(DefaultRecordBatch, "validate_crc", validate_crc)
    await memory.say("b")
    await memory.say("c")
    async with asyncio.timeout(60):
        while len(scripted.texts("w/s")) < 3:
            await feed.turn()
            await asyncio.sleep(0.05)
    await memory.say("d")
    await feeding.until_idle(feed)
    assert scripted.texts("w/s") == ["a", "b", "c", "d"]
    [(headers, value)] = await letters(settings)
    assert value == b""
    assert int(headers["letter-partition"]) == part_of("s")
    assert b"no records" in headers["letter-reason"]


async def test_a_parked_key_is_told_of_once_and_stays_sealed(
    memory, feeding, settings, opened
):

    def answer(batch):
        texts = [each.event.content for each in batch.events]
        return Park("cannot be read") if "secret b" in texts else Done()

    scripted = Scripted(answer)
    feed = await feeding.feed(scripted)
    await memory.say("a")
    [parked] = await memory.say("secret b")
    await feeding.until_idle(feed)
    mail = DeadLetters(settings, feeding.pool, opened.by_shards())
    for _ in range(2):
        await mail._write_parked()
    [(headers, value)] = await letters(settings)
    await mail._write_parked()
    assert await mail._box.take(8) == []
    await mail.close()
    assert headers["letter-processor"] == b"scripted"
    assert headers["letter-reason"] == b"cannot be read"
    assert int(headers["letter-position"]) == parked.position
    assert b"secret" not in value + b"".join(headers.values())
    assert b"sealed" in value


async def test_what_retention_took_is_read_from_the_log(memory, feeding, settings):
    for number in range(6):
        await memory.say(str(number), session="one")
        await memory.say(str(number), session="two")
    await feeding.relay.until(12)
    admin = KafkaAdminClient(**client_options(settings, "test"))
    parts = {part_of("one"), part_of("two")}
    admin.delete_records({TopicPartition(settings.kafka_topic, p): 4 for p in parts})
    admin.close()
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    await feeding.until_idle(feed)
    await memory.say("6", session="one")
    await feeding.until_idle(feed)
    assert scripted.texts("w/one") == [str(number) for number in range(7)]
    assert scripted.texts("w/two") == [str(number) for number in range(6)]


async def test_a_processor_far_behind_is_fed_by_the_log_until_it_is_there(
    memory, feeding
):
    first = Scripted()
    await memory.say(*(str(number) for number in range(30)))
    feed = await feeding.feed(first)
    await feeding.until_idle(feed)
    late = Scripted()
    late.name = "late"
    behind = await feeding.feed(late, FeedLimits(page=7, idle=0.05))
    await memory.say("30")
    await feeding.until_idle(behind)
    assert late.texts("w/s") == [str(number) for number in range(31)]


async def test_what_feeds_is_changed_back_and_forth(memory, feeding):
    scripted = Scripted()
    ledger = FeedLedger(feeding.pool, scripted.name)

    async def by_log():
        await ledger.begin()
        feed = Feed(scripted, memory.log.follow(), ledger, AT_ONCE)
        while await feed.turn() is None:
            pass

    await memory.say("a")
    await by_log()
    await memory.say("b")
    await feeding.until_idle(await feeding.feed(scripted))
    await memory.say("c")
    await by_log()
    await memory.say("d")
    await feeding.until_idle(await feeding.feed(scripted))
    assert scripted.texts("w/s") == ["a", "b", "c", "d"]


async def test_four_partitions_become_twelve_under_load(
    memory, opened, database, kafka
):
    settings = named_apart(kafka, kafka_session_seconds=6, kafka_partitions=4)
    sessions = [f"s{number}" for number in range(12)]
    said = {each: [] for each in sessions}
    stop = asyncio.Event()

    async def talk():
        number = 0
        while not stop.is_set() or number < 240:
            session = sessions[number % 12]
            await memory.say(str(number), session=session)
            said[session].append(str(number))
            number += 1
            await asyncio.sleep(0)

    async with kafka_feeding(database.dsn(), opened, settings) as feeding:
        scripted = Scripted()
        feed = await feeding.feed(scripted)
        running = asyncio.create_task(feed.run())
        talking = asyncio.create_task(talk())
        async with asyncio.timeout(60):
            while len(scripted.delivered) < 10:  # noqa: ASYNC110  a bounded wait
                await asyncio.sleep(0.02)
        rows = opened.rows()
        parts = RelayParts(
            database.dsn(),
            settings,
            feeding.relay.generations,
            rows,
            as_stored,
        )
        following = await fill_next(parts, 12, Seen(), lambda _told: None)
        assert (following.number, following.partitions) == (2, 12)
        await memory.say("last", session="s0")
        stop.set()
        await talking
        rows.close()
        total = sum(map(len, said.values())) + 1
        ledger = ShardLedger(feeding.pool, "scripted")
        async with asyncio.timeout(60):
            while (await ledger.standing()).position < total:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        ranges = (await ledger.standing()).ranges
        assert len(ranges) == 12
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    for session in sessions:
        texts = [t for t in scripted.texts(f"w/{session}") if t != "last"]
        assert texts == said[session]


async def test_a_long_backlog_of_one_partition_holds_up_no_other(memory, feeding):
    """A page holds less than waits in any of them; after three, each has moved."""
    sessions = {}
    for number in range(50):
        sessions.setdefault(part_of(f"s{number}"), f"s{number}")
    assert sorted(sessions) == [0, 1, 2]
    for session in sessions.values():
        await memory.say(*(f"{n} {session}" for n in range(30)), session=session)
    scripted = Scripted()
    limits = FeedLimits(page=8, idle=0.05)
    feed = await feeding.feed(scripted, limits)
    await feeding.until_fetched()
    async with asyncio.timeout(60):
        while len(scripted.delivered) < 3:
            await feed.turn()
    assert {key for key, _ in scripted.delivered} == {
        f"w/{session}" for session in sessions.values()
    }, scripted.delivered
