"""Holds a topic against the log: each event once, in its place, byte for byte."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from infra.kafka.content import Values
from infra.kafka.generations import Generation
from infra.kafka.names import partition_of
from infra.kafka.place import Record
from infra.kafka.record import Content
from infra.kafka.record_changes import changed_parts, content_of, position_of
from infra.kafka.relay import RelayParts
from infra.kafka.resequencer import Placed, Resequencer
from infra.kafka.topic_reading import PAGE, TopicReading, reading
from infra.kafka.topic_report import Finding, Findings, Report, TopicReport, Wrong
from infra.kafka.topics import partitions_of
from infra.postgres.stored_row import StoredRow

Told = Callable[[str, int, int], None]
"""Is told the topic, how much of it is compared, and how much there is."""

Found = tuple[int, Record] | None
"""A record and the partition it was read from; None: it did not come."""

_ROWS: Final = 4_000
_BYTES: Final = 16 * 2**20
_KEPT_BYTES: Final = 64 * 2**20
_OVERHEAD: Final = 2_000


async def verify_topic(parts: RelayParts, told: Told) -> Report:
    """Compare all generations that are there.

    Beside a relay that runs: what it writes meanwhile is left out.

    Raises:
        NoBrokers, KafkaError, OSError, asyncpg.PostgresError
    """
    topics: list[TopicReport] = []
    generations = await parts.generations.all()
    for each in generations:
        there = await partitions_of(parts.settings, each.topic)
        if each.state in ("lost", "retired") or (
            each.state == "ended" and there is None
        ):
            continue
        topics.append(await _Verification(parts, each).run(there or 0, told))
    head = await parts.log.head()
    serving = [each.position for each in generations if each.state == "serving"]
    return Report(
        head=head,
        behind=head - max(serving, default=0),
        ok=all(each.ok for each in topics),
        topics=topics,
    )


class _Verification:
    """One generation; in memory are one page of the log and what came too early."""

    def __init__(self, parts: RelayParts, generation: Generation) -> None:
        self._log = parts.log
        self._settings = parts.settings
        self._values: Values = parts.values
        self._generation = generation
        self._partitions = generation.partitions
        self._through = generation.ended_at or generation.position
        self._found = Findings()
        self._compared = self._trimmed = self._unopened = 0
        self._rows: dict[int, StoredRow] = {}
        self._newest: dict[int, int] = {}
        self._first: dict[int, int] = {}
        self._head = 0

    async def run(self, there: int, told: Told) -> TopicReport:
        begun = time.monotonic()
        many = min(there, self._partitions)
        page = max(16, min(PAGE, 40_000 // max(many, 1)))
        self._ordered = Resequencer[Found](
            0,
            max(many, 1),
            page=page,
            most=100_000,
            most_bytes=_KEPT_BYTES,
            patience=math.inf,
        )
        if many:
            topic = self._generation.topic
            async with reading(self._settings, topic, many, page) as records:
                self._head = await self._log.head()
                await self._read(records, many, told)
        await self._miss(self._through + 1, frozenset())
        return self._report(time.monotonic() - begun)

    async def _read(self, records: TopicReading, many: int, told: Told) -> None:
        open_ = set(range(many))
        while open_ or self._ordered.kept:
            brought = await records.next(self._ordered.ahead)
            for partition, page in brought.records.items():
                self._place(partition, page)
            for partition in brought.finished:
                self._ordered.finish(partition)
            open_ -= brought.finished
            await self._go_on(records.trimmed)
            told(
                self._generation.topic,
                self._ordered.position,
                max(self._through, self._ordered.position),
            )

    async def _go_on(self, trimmed: frozenset[int]) -> None:
        """Compare what is next, and pass over what cannot come any more."""
        while True:
            first = self._ordered.position + 1
            if taken := self._ordered.take(_ROWS):
                await self._compare(first, taken)
                continue
            gap = self._ordered.gap
            if gap is None or not gap.proven:
                return
            await self._miss(self._ordered.missing().stop, trimmed)

    async def _miss(self, stop: int, trimmed: frozenset[int]) -> None:
        """Take note of positions that did not come, up to one."""
        while (first := self._ordered.position + 1) < stop:
            rows = await self._page(first, min(stop - first, _ROWS))
            if not rows:
                return
            for row in rows:
                part = partition_of(row.shard, self._partitions)
                if row.position > self._through:
                    continue
                if part in trimmed and row.position < self._first.get(part, math.inf):
                    self._trimmed += 1
                else:
                    self._found.miss(row.position, part)
            self._ordered.fill(Placed[Found](row.position, None, 0) for row in rows)
            self._ordered.take(len(rows))

    def _place(self, partition: int, page: Sequence[Record]) -> None:
        for record in page:
            position = position_of(record)
            wrong = self._wrong(partition, position)
            if wrong is not None:
                self._found.add(
                    Finding(
                        wrong=wrong,
                        position=position,
                        partition=partition,
                        offset=record.offset,
                    )
                )
            if position is not None and 0 < position <= self._head:
                newest = self._newest.get(partition, 0)
                self._newest[partition] = max(newest, position)
                self._first.setdefault(partition, position)
                size = len(record.value or b"") + _OVERHEAD
                placed = Placed[Found](position, (partition, record), size)
                self._ordered.put(partition, [placed])

    def _wrong(self, partition: int, position: int | None) -> Wrong | None:
        """Tell what is wrong with where a record stands."""
        if position is None:
            return "foreign"
        if not 0 < position <= self._head:
            return "unknown"
        if self._found.was_missed(position):
            return "disordered"
        if position in self._ordered:
            return "duplicated"
        return "disordered" if position < self._newest.get(partition, 0) else None

    async def _compare(self, first: int, taken: Sequence[Found]) -> None:
        """Hold records of consecutive positions against the log."""
        done = 0
        while done < len(taken):
            rows = await self._page(first + done, len(taken) - done)
            if not rows:
                raise LookupError(f"The log has nothing at position {first + done}")
            here = taken[done : done + len(rows)]
            done += len(rows)
            records = [found for found in here if found is not None]
            clear = {
                row.position: valued for row, valued in await self._clear(rows, records)
            }
            await asyncio.to_thread(self._hold, rows, records, clear)

    async def _clear(
        self, rows: Sequence[StoredRow], records: Sequence[tuple[int, Record]]
    ) -> list[tuple[StoredRow, bytes | None]]:
        """Return what clear records should say; None where that cannot be opened."""
        opened = [
            row
            for row, (_, record) in zip(rows, records, strict=True)
            if content_of(record) == "clear"
        ]
        valued = await self._values(opened) if opened else []
        return [
            (each.row, each.value if each.content == "clear" else None)
            for each in valued
        ]

    def _hold(
        self,
        rows: Sequence[StoredRow],
        records: Sequence[tuple[int, Record]],
        clear: Mapping[int, bytes | None],
    ) -> None:
        for row, (partition, record) in zip(rows, records, strict=True):
            self._compared += 1
            content: Content = "clear" if row.position in clear else "sealed"
            value = clear.get(row.position, row.data)
            self._unopened += value is None
            changed = changed_parts(row, value, content, record)
            wrong: list[Wrong] = ["changed"] if changed else []
            if partition != partition_of(row.shard, self._partitions):
                wrong.append("misplaced")
            for each in wrong:
                self._found.add(
                    Finding(
                        wrong=each,
                        position=row.position,
                        partition=partition,
                        offset=record.offset,
                        parts=changed if each == "changed" else (),
                    )
                )

    async def _page(self, first: int, count: int) -> list[StoredRow]:
        return await self._log.page(first - 1, events=count, size=_BYTES)

    def _report(self, seconds: float) -> TopicReport:
        generation = self._generation
        return TopicReport(
            generation=generation.number,
            topic=generation.topic,
            state=generation.state,
            partitions=generation.partitions,
            through=self._through,
            compared=self._compared,
            trimmed=self._trimmed,
            unopened=self._unopened,
            wrong=dict(self._found.wrong),
            examples=self._found.examples,
            seconds=round(seconds, 3),
        )
