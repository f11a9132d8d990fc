"""All partitions of one generation, read at once and put back in order."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from infra.kafka.client import client_options
from infra.kafka.consumer_thread import ConsumerThread
from infra.kafka.generations import Generation
from infra.kafka.missing import Missing, Reason
from infra.kafka.names import partition_of
from infra.kafka.place import Damaged, OutOfRange, Place, Record
from infra.kafka.record import Foreign, incoming
from infra.kafka.resequencer import Placed, Resequencer
from infra.postgres.stored_row import StoredRow
from infra.settings.kafka import KafkaSettings

Kept = StoredRow | int
"""An event, or only its position: the log is to be asked for it."""

PATIENCE: Final = 2.0
"""Seconds a record is waited for that others came after, or that the relay wrote."""

POLL: Final = 0.5
"""Seconds a poll waits for records."""

OPENED_WITHIN: Final = 10.0
"""Seconds brokers have to tell where a position is."""

_PAGE: Final = 500
_SHARED: Final = 10_000
"""Most records a poll brings, and all partitions together one poll each."""

_FETCH: Final = 256 * 2**10
"""Bytes fetched of a partition at a time: small, so that none gets far ahead."""

_OVERHEAD: Final = 600
"""Bytes a row takes beside its data."""

_IN_THREAD: Final = 50
"""From so many records on, they are decoded in a thread."""


class Start(NamedTuple):
    """After which position to begin, and when that was recorded (ms since 1970)."""

    after: int
    since: int | None


class Partitions:
    """The partitions of a generation after a position, as rows in order."""

    def __init__(
        self,
        consumer: ConsumerThread,
        generation: Generation,
        start: "Start",
        missing: Missing,
        page: int,
    ) -> None:
        self._consumer = consumer
        self._count = generation.partitions
        self._places = [Place(generation.topic, p) for p in range(self._count)]
        self._missing = missing
        self._since = start.since
        self._ordered = Resequencer[Kept](
            start.after, self._count, page=page, patience=PATIENCE
        )
        self._paused: frozenset[int] = frozenset()
        self._page = page
        self._given: list[Kept] = []
        self._silent: float | None = None
        self._hurried = -PATIENCE
        self.written = generation.position

    async def start(self) -> None:
        """Begin to read.

        Raises:
            KafkaError, TimeoutError
        """
        async with asyncio.timeout(OPENED_WITHIN):
            await self._consumer.assign(await self._offsets(self._places))

    async def next(self, most: int) -> Sequence[StoredRow]:
        """Return what comes next, at most so many; nothing if nothing comes for now."""
        rows = await self._taken(most)
        if rows:
            return rows
        lost = self._lost()
        await self._poll(0 if lost else POLL)
        if lost is not None:
            self._ordered.fill(map(_placed, await self._missing.read(*lost)))
        await self._pause()
        return await self._taken(most)

    async def _poll(self, within: float) -> None:
        try:
            brought = await self._consumer.poll(within)
        except OutOfRange as gone:
            places = list(gone.places)
            await self._go_on(places, await self._offsets(places))
            return
        except Damaged as found:  # the log has what is passed over
            places = list(found.places)
            await self._go_on(places, await self._consumer.ends(places))
            return
        if sum(map(len, brought.values())) >= self._page:
            self._hurried = time.monotonic()
        for place, records in brought.items():
            if len(records) < _IN_THREAD:
                placed = self._read(place.part, records)
            else:
                placed = await asyncio.to_thread(self._read, place.part, records)
            if placed:
                self._silent = None
            self._ordered.put(place.part, placed)

    def _lost(self) -> tuple[range, Reason] | None:
        """Tell what will not come, or should have long ago."""
        gap, now = self._ordered.gap, time.monotonic()
        # Whole pages are of a backlog: what is missing may be further down in it.
        rested = now - self._hurried >= PATIENCE
        if gap is not None and (gap.proven or (gap.overdue and rested)):
            why: Reason = "passed" if gap.proven else "overdue"
            return self._ordered.missing()[:_PAGE], why
        unread = range(self._ordered.position + 1, self.written + 1)
        if self._ordered.kept or not unread:
            self._silent = None
            return None
        # Since it was known to be written: before that, nobody had anything to say.
        self._silent = self._silent or now
        if now - self._silent >= PATIENCE:
            return unread[:_PAGE], "silent"
        return None

    async def _go_on(
        self, places: Collection[Place], offsets: Mapping[Place, int]
    ) -> None:
        async with asyncio.timeout(OPENED_WITHIN):
            await self._consumer.seek(offsets)
            ahead = {self._places[p] for p in self._paused}
            await self._consumer.resume([p for p in places if p not in ahead])

    async def _pause(self) -> None:
        ahead = self._ordered.ahead
        if ahead == self._paused:
            return
        async with asyncio.timeout(OPENED_WITHIN):
            await self._consumer.resume([self._places[p] for p in self._paused - ahead])
            await self._consumer.pause([self._places[p] for p in ahead - self._paused])
        self._paused = ahead

    async def _taken(self, most: int) -> Sequence[StoredRow]:
        """Give out what is next; what is only known to be there, from the log."""
        self._given += self._ordered.take(most - len(self._given))
        rows: list[StoredRow] = []
        while len(rows) < len(self._given):
            kept = self._given[len(rows)]
            if isinstance(kept, int):
                unread = range(kept, kept + _run(self._given[len(rows) :]))
                found = await self._missing.read(unread, "clear")
                if not found:  # the log has not so much: the topic may be another's
                    break
                rows += found
            else:
                rows.append(kept)
        del self._given[: len(rows)]
        return rows

    def _read(self, part: int, records: Iterable[Record]) -> list[Placed[Kept]]:
        placed = []
        for record in records:
            try:
                found = incoming(record.headers, record.value)
            except Foreign:  # the log tells what should have been there
                continue
            if partition_of(found.row.shard, self._count) != part:
                continue
            if found.content == "clear":  # erasure binds us, not the topic
                position = found.row.position
                placed.append(Placed[Kept](position, position, 0))
            else:
                placed.append(_placed(found.row))
        return placed

    async def _offsets(self, places: Collection[Place]) -> Mapping[Place, int]:
        """Return where to begin; it may be wrong, for positions decide."""
        if self._since is None:
            return await self._consumer.beginnings(places)
        return await self._consumer.at_times(dict.fromkeys(places, self._since))


def page_of(partitions: int) -> int:
    """Return how many records a poll may bring."""
    return max(16, min(_PAGE, _SHARED // partitions))


@asynccontextmanager
async def open_partitions(
    settings: KafkaSettings,
    generation: Generation,
    start: Start,
    missing: Missing,
) -> AsyncIterator[Partitions]:
    """Read a generation from a start on, until left.

    Raises:
        NoBrokers, KafkaError, TimeoutError: no broker tells where that is.
    """
    page = page_of(generation.partitions)
    options = client_options(settings, "resequenced")
    options["max_partition_fetch_bytes"] = _FETCH
    consumer = ConsumerThread(options, batch=page)
    consumer.start()
    try:
        partitions = Partitions(consumer, generation, start, missing, page)
        await partitions.start()
        yield partitions
    finally:
        await consumer.close()


def _placed(row: StoredRow) -> Placed[Kept]:
    return Placed[Kept](row.position, row, len(row.data) + len(row.meta) + _OVERHEAD)


def _run(taken: Sequence[Kept]) -> int:
    """Return how many at the beginning are only positions."""
    return next(
        (n for n, kept in enumerate(taken) if not isinstance(kept, int)), len(taken)
    )
