"""A topic written by hand, well or badly, as no relay would."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import asyncpg
from kafka import KafkaProducer

from infra.kafka.client import client_options
from infra.kafka.generations import Generation, Generations
from infra.kafka.names import partition_of, topic_of
from infra.kafka.record import outgoing
from infra.kafka.resequenced import Resequenced
from infra.kafka.topics import make_topic
from infra.postgres.log import PostgresLog
from infra.postgres.stored_row import StoredRow
from infra.settings import Settings
from tests.support.log import request

WITHIN = 60.0


class TopicCopy:
    """Writes rows of a log to generations of a topic, and tells ``work.topic``."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, log: PostgresLog):
        self.settings = settings
        self.generations = Generations(pool, settings)
        self.pool = pool
        self.log = log
        self.rows = log.rows()
        self._producer = KafkaProducer(**client_options(settings, "by-hand"))

    async def serve(self, number: int, partitions: int) -> None:
        """Make a generation that serves."""
        topic = topic_of(self.settings, number)
        await make_topic(self.settings, topic, partitions)
        await self.pool.execute(
            "INSERT INTO work.topic (base, generation, topic, partitions, state)"
            " VALUES ($1, $2, $3, $4, 'serving')",
            *(self.settings.kafka_topic, number, topic, partitions),
        )

    async def append(self, *sizes: int) -> list[StoredRow]:
        """Append messages, so many to each of some sessions; return all of the log."""
        for n, size in enumerate(sizes):
            await self.log.store.append(request(f"s{n}", size=size))
        return await self.all()

    async def all(self) -> list[StoredRow]:
        return await self.rows.page(0, events=100_000, size=2**30)

    async def write(
        self,
        rows: Collection[StoredRow],
        *,
        lose: Collection[int] = (),
        twice: Collection[int] = (),
        damage: Collection[int] = (),
        clear: Collection[int] = (),
        noted: bool = True,
    ) -> None:
        """Produce rows, some not, some twice, some badly; say that all are there."""
        serving = await self.serving()
        await asyncio.to_thread(
            self._produce, serving, rows, lose, twice, damage, clear
        )
        if noted:
            last = max(row.position for row in rows)
            await self.generations.move(serving, last, ())

    async def serving(self) -> Generation:
        found = await self.generations.serving()
        assert found is not None
        return found

    def _produce(self, generation, rows, lose, twice, damage, clear):
        for row in rows:
            if row.position in lose:
                continue
            content = "clear" if row.position in clear else "sealed"
            value = b"{}" if row.position in clear else row.data
            record = outgoing(row, value, content)
            headers = [] if row.position in damage else record.headers
            for _ in range(1 + (row.position in twice)):
                self._producer.send(
                    generation.topic,
                    key=record.key,
                    value=record.value,
                    headers=headers,
                    partition=partition_of(row.shard, generation.partitions),
                    timestamp_ms=record.timestamp_ms,
                )
        self._producer.flush()

    def read(self, after: int = 0) -> Resequenced:
        return Resequenced(self.settings, self.generations, self.rows, after)

    async def close(self) -> None:
        self.rows.close()
        await asyncio.to_thread(self._producer.close)


@asynccontextmanager
async def topic_copy(
    dsn: str, settings: Settings, log: PostgresLog
) -> AsyncIterator[TopicCopy]:
    async with asyncpg.create_pool(dsn, min_size=0, max_size=2) as pool:
        copy = TopicCopy(settings, pool, log)
        try:
            yield copy
        finally:
            await copy.close()


async def taken(batches: AsyncIterator[list[StoredRow]], count: int) -> list[StoredRow]:
    """Take so many rows, and not one more."""
    rows: list[StoredRow] = []
    async with asyncio.timeout(WITHIN):
        while len(rows) < count:
            rows += await anext(batches)
    assert len(rows) == count
    return rows
