"""The last records of each partition: how far a topic is, told by itself.

Whoever else may write to the topic can put records behind ours: copies of what is
there, or garbage. So more than the very last one is looked at where that is not ours.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from functools import partial
from time import monotonic
from typing import Any, Final
from uuid import UUID

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError

from infra.kafka.client import client_options
from infra.kafka.daemon import aside
from infra.kafka.generations import Generation
from infra.kafka.record import Foreign, incoming
from infra.kafka.topics import partitions_of
from infra.settings.kafka import KafkaSettings

_WITHIN: Final = 15.0
"""Seconds until all of them are read."""

_FIRST: Final = 4
"""Offsets to step back at first: the last ones are often marks of transactions."""

FURTHEST: Final = 10_000
"""Offsets to step back, most, where somebody else wrote behind us."""


class TopicUnusable(Exception):  # noqa: N818  says what was found
    """The topic is gone, lost records, or holds what is not of this log."""


class PartitionTail(msgspec.Struct, frozen=True):
    """A committed record of a partition that looks like one of ours."""

    position: int
    id: UUID


class Tails(msgspec.Struct, frozen=True):
    """What the ends of partitions hold: records like ours, and partitions with others.

    Of each partition that has records there are some, the last one included. From
    those that are ``emptied`` retention took all there was.
    """

    records: Mapping[int, Sequence[PartitionTail]]
    foreign: Collection[int]
    emptied: Collection[int]


async def read_tails(
    settings: KafkaSettings,
    generation: Generation,
    *,
    back: int = _FIRST,
    partitions: Collection[int] | None = None,
) -> Tails:
    """Return the ends of all partitions, or of some; so many offsets back, at least.

    Raises:
        TopicUnusable: the topic is gone.
        NoBrokers, kafka.errors.KafkaError
    """
    wanted = range(generation.partitions) if partitions is None else partitions
    try:
        return await aside(partial(_read, settings, generation, wanted, back))
    except TopicUnusable:
        # To whom a topic is forbidden it seems to be gone; asked by name, they say so.
        await partitions_of(settings, generation.topic)
        raise


def _read(
    settings: KafkaSettings,
    generation: Generation,
    partitions: Collection[int],
    back: int,
) -> Tails:
    consumer = KafkaConsumer(
        **client_options(settings, "tails"),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        allow_auto_create_topics=False,
        max_partition_fetch_bytes=65_536,
        fetch_max_wait_ms=50,
        request_timeout_ms=10_000,
        bootstrap_timeout_ms=5_000,
        retry_backoff_ms=20,
        metrics_enabled=False,
    )
    with closing(consumer):
        there = len(consumer.partitions_for_topic(generation.topic) or ())
        if there < generation.partitions:
            found = f"has {there} partitions" if there else "is gone"
            raise TopicUnusable(f"the topic {generation.topic} {found}")
        places = [TopicPartition(generation.topic, each) for each in partitions]
        return _Reading(consumer, places).read(back)


class _Reading:
    """Steps back in each partition, further each time, until there is a record."""

    def __init__(self, consumer: Any, places: list[Any]) -> None:
        self._consumer = consumer
        self._places = places
        self._deadline = monotonic() + _WITHIN
        self._ends = consumer.end_offsets(self._places)
        self._begins = consumer.beginning_offsets(self._places)
        self._found: dict[int, dict[int, PartitionTail]] = {}
        self._foreign: set[int] = set()
        self._whole: set[int] = set()

    def read(self, back: int) -> Tails:
        missing = self._missing(self._places, 0)
        while missing:
            self._read_from(missing, back)
            missing = self._missing(missing, back)
            back *= 8
        found = {each: list(those.values()) for each, those in self._found.items()}
        return Tails(found, self._foreign, self._emptied())

    def _emptied(self) -> set[int]:
        """Return those without a record of ours that did not begin with what is left.

        A topic that was made anew begins at 0.
        """
        return {
            each.partition
            for each in self._places
            if self._begins[each] > 0
            and each.partition not in self._found
            and (
                each.partition in self._whole or self._begins[each] == self._ends[each]
            )
        }

    def _missing(self, places: list[Any], back: int) -> list[Any]:
        """Return those without a record so far, and with more to look at."""
        return [
            each
            for each in places
            if each.partition not in self._found
            and each.partition not in self._foreign
            and self._ends[each] - back > self._begins[each]
        ]

    def _read_from(self, places: list[Any], back: int) -> None:
        consumer = self._consumer
        consumer.assign(places)
        for each in places:
            consumer.seek(each, max(self._begins[each], self._ends[each] - back))
            if self._ends[each] - back <= self._begins[each]:
                self._whole.add(each.partition)
        while any(consumer.position(each) < self._ends[each] for each in places):
            if monotonic() > self._deadline:
                raise KafkaTimeoutError("The tails of the topic cannot be read")
            for place, records in consumer.poll(200, max_records=5_000).items():
                for each in records:
                    self._look(place.partition, each)

    def _look(self, partition: int, record: Any) -> None:
        try:
            row = incoming(record.headers, record.value).row
        except Foreign:
            self._foreign.add(partition)
            return
        tail = PartitionTail(row.position, row.id)
        self._found.setdefault(partition, {})[record.offset] = tail
