"""The topic's content equals the log: every event once, in its place, byte for byte."""

import asyncio
import time
from collections.abc import Sequence

import asyncpg
from kafka import KafkaConsumer, TopicPartition

from infra.kafka.connecting import connecting
from infra.kafka.names import partition_of
from infra.kafka.record import Foreign, incoming
from infra.postgres.stored_row import COLUMNS, StoredRow

WITHIN = 120.0
_ROWS = f"SELECT {COLUMNS} FROM log.event ORDER BY position"  # noqa: S608  a constant
_SERVING = """
SELECT topic, partitions FROM work.topic WHERE base = $1 AND state = 'serving'
"""


def assert_topic_equals_log(
    servers: str, base: str, dsn: str, *, foreign: int = 0, again: int = 0
) -> None:
    """Read the generation that serves from its beginning; wait for what is missing.

    ``foreign`` is how many records are expected that are not what the log holds,
    ``again`` how many that repeat what came before in their partition.
    """
    topic, partitions = serving(dsn, base)
    rows = rows_of(dsn)
    wanted = len(rows) + foreign + again
    found: list[list[StoredRow]] = []
    strangers = repeats = 0
    for part, records in enumerate(read_topic(servers, topic, partitions, wanted)):
        ours: list[StoredRow] = []
        for record in records:
            row = _row_of(record)
            if row is None or row not in rows[row.position - 1 : row.position]:
                strangers += 1
            elif ours and row.position <= ours[-1].position:
                repeats += 1
            else:
                assert part == partition_of(row.shard, partitions), row.position
                assert record.timestamp == int(row.recorded_at.timestamp() * 1000)
                ours.append(row)
        found.append(ours)
    assert sorted(row for part in found for row in part) == rows
    assert (strangers, repeats) == (foreign, again)


def _row_of(record) -> StoredRow | None:
    try:
        return incoming(record.headers, record.value).row
    except Foreign:
        return None


def serving(dsn: str, base: str) -> tuple[str, int]:
    """Return the topic that serves, and its partitions."""
    [[topic, partitions]] = asyncio.run(_fetch(dsn, _SERVING, base))
    return topic, partitions


def rows_of(dsn: str) -> list[StoredRow]:
    """Return the whole log, as it is stored."""
    return [StoredRow(*row) for row in asyncio.run(_fetch(dsn, _ROWS))]


async def _fetch(dsn: str, statement: str, *arguments: object) -> list:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()


def read_topic(
    servers: str, topic: str, partitions: int, wanted: int = 0
) -> list[Sequence]:
    """Return every committed record, by partition, once so many are there."""
    consumer = KafkaConsumer(
        kafka_client=connecting,
        bootstrap_servers=servers.split(","),
        isolation_level="read_committed",
        enable_auto_commit=False,
        max_poll_records=5_000,
    )
    places = [TopicPartition(topic, part) for part in range(partitions)]
    deadline = time.monotonic() + WITHIN
    found: dict[TopicPartition, list] = {place: [] for place in places}
    try:
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        while True:
            ends = consumer.end_offsets(places)
            over = all(consumer.position(each) >= ends[each] for each in places)
            count = sum(map(len, found.values()))
            if over and count >= wanted:
                return [found[each] for each in places]
            assert time.monotonic() < deadline, (count, wanted)
            for place, records in consumer.poll(200).items():
                found[place] += records
    finally:
        consumer.close()


def send_again(sender, topic, records):
    """Send records once more, as a zombie might: to the byte, and where they were."""
    for each in records:
        sender.send(
            topic,
            key=each.key,
            value=each.value,
            headers=each.headers,
            partition=each.partition,
            timestamp_ms=each.timestamp,
        )
