"""Asks and reads as the record of collections says, whichever process changed it."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, Final, Protocol

from commands.ports import EventStoreError
from infra.embedder.serving import Unreachable
from infra.postgres.connection import FAILED
from infra.stopping import stop
from infra.vectors.ledger import Known
from infra.vectors.opening import Opened, Source
from infra.vectors.progress import wanted_by
from infra.vectors.reading import Reading
from infra.vectors.wanting import Standing

_LOG: Final = logging.getLogger("palimpsest.vectors")

_TICK: Final = 0.5
"""Seconds between two looks at what is on record."""

_SETTLES: Final = 10.0
"""Seconds after a change until those who asked before it have their answer."""


class Log(Protocol):
    """What is asked of the log."""

    async def head(self) -> int: ...


StartReader = Callable[[Source], Awaitable[asyncio.Task[None]]]


class Following:
    """Keeps one process at what serves; where it reads, its readers too.

    Every process that can ask the model that serves may read for it, and one at a time
    does; what is filled is read for by those whose settings name it.
    """

    def __init__(
        self, opened: Opened, reading: Reading, log: Log, start_reader: StartReader
    ) -> None:
        self._opened = opened
        self._reading = reading
        self._log = log
        self._start_reader = start_reader
        self._reads = False
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self._told: set[str] = set()
        self._head = 0
        self._seen: deque[tuple[float, int]] = deque(maxlen=60)
        self.standing = opened.standing
        self.settled_at = 0.0

    async def start(self, *, reads: bool) -> asyncio.Task[None]:
        """Begin; return the task that goes on for ever. ``reads`` starts readers."""
        self._reads = reads
        await self._take(self.standing)
        return asyncio.create_task(self._run(), name="collections of vectors")

    @property
    def rate(self) -> float | None:
        """How fast what is filled is read for, in events a second, if that is known."""
        if len(self._seen) < 2:  # noqa: PLR2004  two looks
            return None
        (since, first), (now, last) = self._seen[0], self._seen[-1]
        return (last - first) / (now - since)

    def detail(self) -> dict[str, Any]:
        """Return what ``/health`` tells while not all is as is set here."""
        standing, told = self.standing, dict[str, Any]()
        if (filling := standing.filling) is not None:
            position = self._seen[-1][1] if self._seen else 0
            told = {"from": standing.serving.model, "to": filling.model}
            told |= {"position": position, "head": self._head}
        if not self._opened.wanting.is_ours(standing.newest):
            told |= {"serving": standing.serving.model, "wanted": standing.newest.model}
            told |= {"wanted_by": standing.newest.wanted_by}
            told |= {"set_here": self._opened.wanting.wanted.base}
        if told and isinstance(source := self._opened.serving.source, Unreachable):
            told["by_words_because"] = source.reason
        return {"vectors": told} if told else {}

    async def look(self) -> None:
        """Learn what is on record, and do as it says."""
        async with self._turn:
            standing = await self._opened.wanting.look()
            if standing is not None:
                await self._take(standing)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            try:
                await self.look()
                await self._note()
            except (*FAILED, EventStoreError, TimeoutError) as lost:
                _LOG.warning("vectors are not followed: %s", type(lost).__name__)
            for reader in self._readers.values():
                if reader.done():
                    reader.result()
            if monotonic() >= self.settled_at:
                kept = {each.model for each in self._here(self.standing)}
                await self._opened.sources.close_all_but(kept)

    async def _take(self, standing: Standing) -> None:
        if standing.filling is None or standing.newest.model != self._wanted:
            self._seen.clear()
        self._tell(standing)
        self.standing = standing
        serving, known = self._opened.serving, standing.serving
        if known.model != serving.source.model:
            source = (await self._opened.sources.of(known)).source
            self.settled_at = monotonic() + _SETTLES
            serving.exchange(source, known.since)
            _LOG.warning("Vectors of %s serve from %s on", known.model, known.since)
        if self._reads:
            await self._read(standing)

    @property
    def _wanted(self) -> str:
        return self.standing.newest.model

    async def _read(self, standing: Standing) -> None:
        """Start the readers that are due, and stop the others."""
        due = [await self._opened.sources.of(each) for each in self._here(standing)]
        asked = {
            each.known.model: each
            for each in due
            if not isinstance(each.source, Unreachable)
        }
        for model in [each for each in self._readers if each not in asked]:
            await stop(self._readers.pop(model))
        for model, source in asked.items():
            if model not in self._readers:
                self._readers[model] = await self._start_reader(source)

    def _here(self, standing: Standing) -> list[Known]:
        """Return the collections whose models are asked by this process."""
        filling = standing.filling
        if filling is None or not (
            self._reads and self._opened.wanting.is_ours(filling)
        ):
            return [standing.serving]
        return [standing.serving, filling]

    async def _note(self) -> None:
        """Note how far what is filled is read for."""
        if self.standing.filling is not None:
            position, _ = await self._reading.of(self.standing.filling.model)
            self._seen.append((monotonic(), position))
            self._head = await self._log.head()

    def _tell(self, standing: Standing) -> None:
        """Say once of each model what becomes of it."""
        serving, newest = standing.serving.model, standing.newest
        if newest.model in self._told:
            return
        self._told.add(newest.model)
        if not self._opened.wanting.is_ours(newest):
            _LOG.warning(
                "EMBEDDING_* names %s here, but %s is wanted, %s: that is followed."
                " To want what is set here: palimpsest vectors want",
                self._opened.wanting.wanted.base,
                newest.model,
                wanted_by(newest.wanted_by, newest.wanted_at),
            )
        if standing.filling is not None:
            _LOG.warning(
                "Vectors of %s are filled behind; those of %s serve until they are"
                " complete",
                newest.model,
                serving,
            )
        source = self._opened.serving.source
        if isinstance(source, Unreachable):
            _LOG.warning(
                "%s cannot be asked: %s. Until then questions are answered by words",
                source.model,
                source.reason,
            )
