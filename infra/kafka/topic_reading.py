"""Reads a whole topic once, from its beginnings to where it ended when that began."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple, TypeVar

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError

from infra.kafka.client import client_options
from infra.kafka.place import Record
from infra.settings.kafka import KafkaSettings

T = TypeVar("T")

PAGE: Final = 2_000
"""Most records of a poll."""

_POLL_MS: Final = 1_000
_SILENCES: Final = 30
"""Polls in a row that bring nothing, though there is more."""


class Brought(NamedTuple):
    """Records by partition, and the partitions of which all is read now."""

    records: dict[int, list[Record]]
    finished: frozenset[int]


class TopicReading:
    """All partitions of a topic; only what is committed."""

    def __init__(
        self, settings: KafkaSettings, topic: str, partitions: int, page: int
    ) -> None:
        self._options = client_options(settings, "verify")
        self._places = [TopicPartition(topic, each) for each in range(partitions)]
        self._page = page
        self._thread = ThreadPoolExecutor(1, "verify")
        self._open: set[int] = set(range(partitions))
        self._paused: frozenset[int] = frozenset()
        self._silences = 0
        self._consumer: Any = None
        self._ends: dict[TopicPartition, int] = {}
        self.trimmed: frozenset[int] = frozenset()

    async def start(self) -> None:
        """Find out where it begins and ends.

        Raises:
            KafkaError
        """
        await self._do(self._start)

    async def next(self, ahead: Collection[int]) -> Brought:
        """Read on, but for what is ahead.

        Raises:
            KafkaError: among others, nothing came for half a minute.
        """
        return await self._do(self._next, frozenset(ahead))

    async def close(self) -> None:
        await self._do(self._close)
        self._thread.shutdown()

    async def _do(self, work: Callable[..., T], *arguments: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, work, *arguments)

    def _start(self) -> None:
        self._consumer = KafkaConsumer(
            **self._options,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            max_partition_fetch_bytes=2 * 2**20,
            fetch_max_bytes=16 * 2**20,
            bootstrap_timeout_ms=10_000,
            metrics_enabled=False,
        )
        begins = self._consumer.beginning_offsets(self._places, timeout_ms=10_000)
        self._ends = self._consumer.end_offsets(self._places, timeout_ms=10_000)
        self.trimmed = frozenset(p.partition for p, first in begins.items() if first)
        self._consumer.assign(self._places)
        for place, offset in begins.items():
            self._consumer.seek(place, offset)

    def _next(self, ahead: frozenset[int]) -> Brought:
        self._leave_alone(ahead)
        found = self._consumer.poll(_POLL_MS, max_records=self._page)
        records = {
            place.partition: [r for r in page if r.offset < self._ends[place]]
            for place, page in found.items()
        }
        over = frozenset(
            each
            for each in self._open - ahead
            if self._consumer.position(self._places[each], timeout_ms=_POLL_MS)
            >= self._ends[self._places[each]]
        )
        self._open -= over
        self._silences = 0 if records or over or not self._open else self._silences + 1
        if self._silences > _SILENCES:
            raise KafkaTimeoutError("The topic cannot be read to its end")
        return Brought(records, over)

    def _leave_alone(self, ahead: frozenset[int]) -> None:
        wanted = ahead | (set(range(len(self._places))) - self._open)
        self._consumer.pause(*(self._places[p] for p in wanted - self._paused))
        self._consumer.resume(*(self._places[p] for p in self._paused - wanted))
        self._paused = frozenset(wanted)

    def _close(self) -> None:
        if self._consumer is not None:
            self._consumer.close(timeout_ms=5_000)


@asynccontextmanager
async def reading(
    settings: KafkaSettings, topic: str, partitions: int, page: int = PAGE
) -> AsyncIterator[TopicReading]:
    """Read a topic until the block is left.

    Raises:
        KafkaError
    """
    opened = TopicReading(settings, topic, partitions, page)
    try:
        await opened.start()
        yield opened
    finally:
        await opened.close()
