"""The relay: copies the log to its topic, page by page, for as long as it runs.

One leads at a time; who led before is fenced by the brokers, so that a page of it is
never written after one of ours. Where a topic ends is read from the topic. Whatever
fails, all is begun anew from there: a page is there as a whole or not at all.
"""

import asyncio
import logging
from collections.abc import Sequence
from time import monotonic
from typing import Final, NoReturn

import msgspec
from kafka.errors import KafkaError

from infra.kafka.content import Valued, Values
from infra.kafka.generations import Generation, Generations, Superseded
from infra.kafka.names import relay_right
from infra.kafka.pace import Pace
from infra.kafka.read_ahead import ReadAhead
from infra.kafka.tails import TopicUnusable
from infra.kafka.topic_writer import TopicWriter
from infra.kafka.topics import serving_generation
from infra.kafka.trouble import Trouble
from infra.postgres.connection import FAILED
from infra.postgres.leadership import LeadershipLost, lead
from infra.postgres.stored_row import StoredRow
from infra.postgres.stored_rows import StoredRows
from infra.settings.kafka import KafkaSettings
from infra.telemetry.observers import PageWritten, RelayObserver

_LOG: Final = logging.getLogger("palimpsest.relay")

_ANEW: Final = "palimpsest relay rebuild-topic"

LOOK: Final = 1.0
"""Seconds between two looks at the log and at the generations, if nobody speaks."""

_NAMED: Final = 10
"""Positions that are named of those that are damaged."""

_AGAIN: Final = 1.0
"""Seconds after a failure until all is begun anew."""

STOPPED: Final = (
    *(*FAILED, KafkaError, LeadershipLost),
    *(TopicUnusable, Superseded),
)
"""What a relay goes on after, or waits for somebody to mend."""


class RelayParts(msgspec.Struct, frozen=True):
    """What a relay works with."""

    dsn: str
    settings: KafkaSettings
    generations: Generations
    log: StoredRows
    values: Values
    trouble: Trouble = msgspec.field(
        default_factory=lambda: Trouble(_LOG, "The relay stopped (%s); it tries again")
    )

    async def page(self, topic: str, rows: Sequence[StoredRow]) -> list[Valued]:
        """Return what a topic is to have of rows; what is damaged is noted before."""
        page = await self.values(rows)
        if damaged := [each.row.position for each in page if each.damaged]:
            await self.generations.note_damaged(topic, damaged)
            _LOG.error(
                "Events at positions %s are damaged in the log: they are in the topic"
                " as they are stored",
                ", ".join(map(str, damaged[:_NAMED])),
            )
        return page


class Relay:
    """Copies the log to the generation that serves, and changes over to the next."""

    def __init__(self, parts: RelayParts, observer: RelayObserver) -> None:
        self._parts = parts
        self._generations = parts.generations
        self._observer = observer
        self._trouble = parts.trouble
        self._looked = -LOOK

    async def run(self) -> NoReturn:
        """Lead, whenever nobody else does, and relay; whatever fails, go on."""
        while True:
            try:
                async with lead(
                    self._parts.dsn, relay_right(self._parts.settings)
                ) as led:
                    await led.during(self._serve_ever())
            except STOPPED as error:
                self._note(error)
            await asyncio.sleep(_AGAIN)

    async def _serve_ever(self) -> NoReturn:
        while True:
            await self._serve()

    async def _serve(self) -> None:
        """Write to the generation that serves until another is to."""
        parts = self._parts
        former = await serving_generation(self._generations, parts.settings)
        following, lost = None, False
        try:
            async with TopicWriter.open(parts.settings, former, parts.log) as writer:
                former = await self._relay(former, writer)
                following = await self._generations.following()
        except TopicUnusable:
            following, lost = await self._generations.following(), True
            if following is None:
                raise
        if following is not None:
            await self._generations.change_over(former, following, lost=lost)
            _LOG.info("%s serves from now on", following.topic)

    async def _relay(self, serving: Generation, writer: TopicWriter) -> Generation:
        """Write pages until another generation is to serve; return where this is."""
        log, pace = self._parts.log, Pace()
        serving = await self._moved(serving, writer)
        async with ReadAhead(log) as ahead:
            while not await self._is_followed():
                if rows := await ahead.after(writer.position):
                    await self._write(writer, serving.topic, rows)
                    serving = await self._moved(serving, writer)
                    pace.wrote(rows)
                self._recovered(serving)
                if rows:
                    await asyncio.sleep(pace.rest)
                else:
                    await log.wait_past(writer.position, LOOK)
        return serving

    async def _is_followed(self) -> bool:
        """Tell whether another generation waits to serve; looked at once a second."""
        if monotonic() - self._looked < LOOK:
            return False
        self._looked = monotonic()
        return await self._generations.following() is not None

    async def _write(
        self, writer: TopicWriter, topic: str, rows: Sequence[StoredRow]
    ) -> None:
        begun = monotonic()
        page = await self._parts.page(topic, rows)
        await writer.write(page)
        size = sum(len(each.value) for each in page)
        damaged = sum(each.damaged for each in page)
        self._observer.written(
            PageWritten(len(page), size, monotonic() - begun, damaged)
        )

    async def _moved(self, serving: Generation, writer: TopicWriter) -> Generation:
        if (serving.position, list(serving.tails)) == (writer.position, writer.tails):
            return serving
        return await self._generations.move(serving, writer.position, writer.tails)

    def _recovered(self, serving: Generation) -> None:
        self._trouble.end("The relay goes on at position %d", serving.position)

    def _note(self, error: Exception) -> None:
        self._observer.failed(type(error).__name__)
        if isinstance(error, TopicUnusable):
            why = f"{error}. Once that is mended, or after {_ANEW}, it goes on"
            self._trouble.begin(error, why, logging.ERROR)
        else:
            self._trouble.begin(error)
