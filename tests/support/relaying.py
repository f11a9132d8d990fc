"""A relay on a log and a broker, and what strangers read of its topic."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field

import asyncpg
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from infra.kafka.client import client_options
from infra.kafka.content import Values, as_stored
from infra.kafka.generations import Generation, Generations
from infra.kafka.names import partition_of
from infra.kafka.record import Incoming, incoming
from infra.kafka.relay import Relay, RelayParts
from infra.postgres.log import PostgresLog
from infra.postgres.stored_row import COLUMNS, StoredRow
from infra.postgres.stored_rows import StoredRows
from infra.postgres.tail import Tail
from infra.settings import Settings
from infra.telemetry.observers import PageWritten

WITHIN = 60.0


@dataclass
class Seen:
    """Fulfils ``RelayObserver``: keeps what it is told."""

    pages: list[PageWritten] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def written(self, page: PageWritten) -> None:
        self.pages.append(page)

    def failed(self, reason: str) -> None:
        self.failures.append(reason)


@dataclass
class Relaying:
    """A relay that runs, and the table that tells how far it is."""

    generations: Generations
    task: asyncio.Task[None]
    seen: Seen
    rows: StoredRows

    async def until(self, position: int, number: int = 1) -> Generation:
        """Wait until a generation serves and has everything up to a position."""
        async with asyncio.timeout(WITHIN):
            while True:
                assert not self.task.done(), self.task.exception()
                found = await self.generations.serving()
                if found and found.number >= number and found.position >= position:
                    return found
                await asyncio.sleep(0.02)

    async def until_failed(self, reason: str) -> None:
        """Wait until it broke off for a reason."""
        async with asyncio.timeout(WITHIN):
            while reason not in self.seen.failures:  # noqa: ASYNC110  it sets no event
                await asyncio.sleep(0.02)


@asynccontextmanager
async def relaying(
    dsn: str,
    log: PostgresLog,
    settings: Settings,
    values: Values = as_stored,
    *,
    tail: Tail | None = None,
) -> AsyncIterator[Relaying]:
    """Run a relay until the block is left.

    It hears what the log hears, and the other way round; with ``tail`` it is a process
    of its own, that hears what this is told.
    """
    async with AsyncExitStack() as running:
        pool = await running.enter_async_context(
            asyncpg.create_pool(dsn, min_size=0, max_size=2)
        )
        rows = log.rows() if tail is None else StoredRows(pool, tail)
        running.callback(rows.close)
        generations, seen = Generations(pool, settings), Seen()
        parts = RelayParts(dsn, settings, generations, rows, values)
        task = asyncio.create_task(Relay(parts, seen).run())
        try:
            yield Relaying(generations, task, seen, rows)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.to_thread(_join_threads)


def _join_threads() -> None:
    """Wait until what the relay left behind has closed its connections."""
    for each in threading.enumerate():
        if each.name.startswith("palimpsest-relay"):
            each.join(WITHIN)


def topic_read(
    settings: Settings, topic: str, partitions: int
) -> dict[int, list[Incoming]]:
    """Return what a stranger reads of a topic who reads what is committed."""
    options = client_options(settings, "stranger")
    consumer = KafkaConsumer(
        **options,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    places = [TopicPartition(topic, each) for each in range(partitions)]
    found: dict[int, list[Incoming]] = {each: [] for each in range(partitions)}
    with closing(consumer):
        consumer.assign(places)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(places)
        while any(consumer.position(each) < ends[each] for each in places):
            for place, records in consumer.poll(1_000, max_records=10_000).items():
                found[place.partition] += [
                    incoming(each.headers, each.value) for each in records
                ]
    return found


async def assert_copied(
    dsn: str,
    settings: Settings,
    generation: Generation,
    ended_at: int | None = None,
) -> None:
    """The topic is the log: each event once, in its partition, in order, unchanged."""
    found = await asyncio.to_thread(
        topic_read, settings, generation.topic, generation.partitions
    )
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            f"SELECT {COLUMNS} FROM log.event ORDER BY position"  # noqa: S608  constants
        )
    finally:
        await connection.close()
    stored = [StoredRow(*row) for row in rows][:ended_at]
    wanted: Mapping[int, list[StoredRow]] = {
        each: [] for each in range(generation.partitions)
    }
    for row in stored:
        wanted[partition_of(row.shard, generation.partitions)].append(row)
    for partition, records in found.items():
        assert [each.row for each in records] == wanted[partition]


async def produce_foreign(settings: Settings, topic: str) -> None:
    """Write to a topic what no relay of ours did."""

    def produce() -> None:
        producer = KafkaProducer(**client_options(settings, "stranger"))
        with closing(producer):
            producer.send(topic, value=b"hello", partition=0).get(WITHIN)

    await asyncio.to_thread(produce)
