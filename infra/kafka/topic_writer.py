"""The one writer of a generation's topic: fenced, and where the topic says it is."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from infra.kafka.content import Valued
from infra.kafka.daemon import Daemon
from infra.kafka.generations import Generation
from infra.kafka.names import partition_of
from infra.kafka.producer import PageProducer
from infra.kafka.record import Outgoing, outgoing
from infra.kafka.tails import FURTHEST, Tails, TopicUnusable, read_tails
from infra.postgres.stored_rows import StoredRows
from infra.settings.kafka import KafkaSettings


class TopicWriter:
    """Appends pages of the log to a topic, each as a whole, one at a time.

    ``position`` is up to where the log is in the topic, ``tails`` where each
    partition is. Opening another writer of the same topic, wherever, ends this one:
    it may then neither write nor finish what it was writing.
    """

    def __init__(
        self,
        tails: list[int],
        producer: PageProducer,
        daemon: Daemon,
    ) -> None:
        self.tails = tails
        self.position = max(tails)
        self._producer = producer
        self._daemon = daemon

    @staticmethod
    @asynccontextmanager
    async def open(
        settings: KafkaSettings, generation: Generation, log: StoredRows
    ) -> "AsyncIterator[TopicWriter]":
        """Fence whoever wrote before, then find out from the topic how far it came.

        Raises:
            TopicUnusable: the topic is not a copy of this log.
            NoBrokers, kafka.errors.KafkaError, asyncpg.PostgresError, OSError
        """
        daemon = Daemon("palimpsest-relay")
        producer = PageProducer(settings, generation.topic)
        try:
            await daemon.do(producer.fence)
            tails = await _tails_of(settings, generation, log)
            yield TopicWriter(tails, producer, daemon)
        finally:
            producer.give_up()
            daemon.end(producer.close)

    async def write(self, page: Sequence[Valued]) -> None:
        """Write events that follow ``position``, in their order.

        Raises:
            kafka.errors.KafkaError: open another writer, it tells what came of it.
        """
        await self._daemon.do(partial(self._write, page))
        self.position = page[-1].row.position

    def _write(self, page: Sequence[Valued]) -> None:
        tails = list(self.tails)
        partitions = len(tails)
        records: dict[int, list[Outgoing]] = {}
        for row, value, content, damaged in page:
            partition = partition_of(row.shard, partitions)
            record = outgoing(row, value, content, damaged=damaged)
            records.setdefault(partition, []).append(record)
            tails[partition] = row.position
        self._producer.write(records)
        self.tails = tails


async def _tails_of(
    settings: KafkaSettings, generation: Generation, log: StoredRows
) -> list[int]:
    """Return the tails, if the topic has what was written and nothing of another log.

    A page is in the topic as a whole, so the highest of them is where it is. Behind
    what we wrote there may be what is no event, and copies of events: consumers drop
    both, so we pass them over. A topic that we never wrote to must have neither. A
    partition that retention emptied ends where it was noted to.
    """
    found = await read_tails(settings, generation)
    if found.foreign and not generation.tails:
        raise TopicUnusable(f"somebody else writes to the topic {generation.topic}")
    noted = generation.tails or (0,) * generation.partitions
    tails = await _highest(generation, found, log, noted)
    if short := [each for each, was in enumerate(noted) if tails[each] < was]:
        found = await read_tails(settings, generation, back=FURTHEST, partitions=short)
        further = await _highest(generation, found, log, noted)
        tails = [max(pair) for pair in zip(tails, further, strict=True)]
    for partition, (tail, was) in enumerate(zip(tails, noted, strict=True)):
        if tail < was:
            raise TopicUnusable(
                f"the topic {generation.topic} lost records of partition {partition}"
            )
    return tails


async def _highest(
    generation: Generation, found: Tails, log: StoredRows, noted: Sequence[int]
) -> list[int]:
    """Return the highest position in each partition, 0 where there never was one."""
    partitions = range(generation.partitions)
    tails = [noted[each] if each in found.emptied else 0 for each in partitions]
    records = [(part, each) for part, those in found.records.items() for each in those]
    ids = await log.ids({each.position for _, each in records})
    for partition, each in records:
        if ids.get(each.position) != each.id:
            raise TopicUnusable(
                f"the topic {generation.topic} holds another log: partition"
                f" {partition} has an event at position {each.position} that is not"
                " there in this one"
            )
        tails[partition] = max(tails[partition], each.position)
    return tails
