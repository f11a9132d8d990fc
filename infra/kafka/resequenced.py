"""The log read from its topic: all partitions, in the order of positions."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Final

from kafka.errors import KafkaError

from infra.kafka.generations import Generation, Generations
from infra.kafka.missing import LogRows, Missing
from infra.kafka.partitions import Partitions, Start, open_partitions
from infra.kafka.trouble import Trouble
from infra.postgres.connection import tirelessly
from infra.postgres.stored_row import StoredRow
from infra.settings.kafka import KafkaSettings
from infra.telemetry.said_once import NEWS

_LOG: Final = logging.getLogger("palimpsest.topic")

UNREAD: Final = "The topic cannot be read (%s); trying again"

PAGE: Final = 500
"""Most events of a batch."""

LOOK: Final = 1.0
"""Seconds between two looks at which generation serves, and how far it is written."""

_AWAY: Final = (KafkaError, OSError, TimeoutError)


class Resequenced:
    """Batches of rows after a position, without end: ``async for rows in ...``.

    Nothing is read further than it is consumed. The generation that serves is read,
    whichever that becomes: each has all of the log, and positions tell where to go
    on. What the topic does not bring is read from the log, and ``missing`` counts
    it; so is, up to where the relay wrote, what no broker is there to bring. No
    position is ever left out, come twice or before its time.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        generations: Generations,
        log: LogRows,
        after: int,
        missing: Missing | None = None,
        away: Trouble | None = None,
    ) -> None:
        self._settings = settings
        self._generations = generations
        self._log = log
        self.missing = missing or Missing(log)
        self.position = after
        self.away = away or Trouble(_LOG, UNREAD)

    async def __aiter__(self) -> AsyncGenerator[Sequence[StoredRow], None]:
        while True:
            generation = await self._serving()
            try:
                start = await self._start()
                opening = open_partitions(
                    self._settings, generation, start, self.missing
                )
                async with opening as partitions:
                    self.away.end(
                        "The topic is read again, after position %d", self.position
                    )
                    async for rows in self._read(generation, partitions):
                        self.position = rows[-1].position
                        yield rows
            except _AWAY as error:
                self.away.begin(error)
                await asyncio.sleep(LOOK)
            while rows := await self._written():
                self.position = rows[-1].position
                yield rows

    async def _read(
        self, generation: Generation, partitions: Partitions
    ) -> AsyncIterator[Sequence[StoredRow]]:
        """Read a generation for as long as it serves."""
        looked = time.monotonic()
        while True:
            if rows := await partitions.next(PAGE):
                yield rows
            if time.monotonic() - looked >= LOOK:
                looked = time.monotonic()
                serving = await tirelessly(self._generations.serving)
                if serving is None or serving.number != generation.number:
                    return
                partitions.written = serving.position

    async def _serving(self) -> Generation:
        told = False
        while (found := await tirelessly(self._generations.serving)) is None:
            if not told:
                _LOG.warning("No topic serves yet: is a relay running?", extra=NEWS)
                told = True
            await asyncio.sleep(LOOK)
        return found

    async def _start(self) -> Start:
        """Say when the position was recorded: records bear these times, in order."""
        if self.position == 0:
            return Start(0, None)
        at = await tirelessly(self._log.page, self.position - 1, events=1, size=1)
        since = int(at[0].recorded_at.timestamp() * 1000) if at else None
        return Start(self.position, since)

    async def _written(self) -> Sequence[StoredRow]:
        """Return what the relay wrote and no broker brings, while one is away."""
        serving = await tirelessly(self._generations.serving)
        if (
            self.away.now is None
            or serving is None
            or serving.position <= self.position
        ):
            return ()
        positions = range(self.position + 1, serving.position + 1)[:PAGE]
        return await self.missing.read(positions, "silent")
