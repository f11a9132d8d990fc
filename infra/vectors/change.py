"""A change of the model of vectors, while everything goes on."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from time import monotonic
from typing import Any, Final, Protocol

import asyncpg
import msgspec

from domain.event import tag_of
from infra.embedder.serving import Unreachable
from infra.feed_ledger import FeedLedger
from infra.postgres.connection import LOST
from infra.vectors.dropping import drop_collection, due_to_drop
from infra.vectors.ledger import Known
from infra.vectors.opening import Opened, Source, reader_name

_LOG: Final = logging.getLogger("palimpsest.vectors")

_TICK: Final = 0.5
"""Seconds between two looks at how far the new collection is."""

_NEAR: Final = 64
"""Texts that may be missing when the last of them are waited for."""

_WITHIN: Final = 5.0
"""Seconds the last texts are waited for; then the old collection goes on."""

_SETTLES: Final = 10.0
"""Seconds after a change until those who asked before it have their answer."""

_HOUR: Final = 3_600.0

_MISSING: Final = """
SELECT count(*) FROM (
    SELECT FROM log.event
    WHERE position > $1 AND position <= $2 AND type = ANY($3::text[]) LIMIT $4
) AS e
"""


class Log(Protocol):
    """What is asked of the log."""

    async def head(self) -> int: ...


class Folding(Protocol):
    """The views that vectors are folded into."""

    async def wait_for(self, position: int, timeout: float) -> bool: ...  # noqa: ASYNC109


StartReader = Callable[[Source], Awaitable[asyncio.Task[None]]]


class ChangeParts(msgspec.Struct, frozen=True):
    """What a change is made with; ``pool`` may change the processors' tables.

    ``handles`` are the events whose texts are embedded.
    """

    dsn: str
    pool: asyncpg.Pool
    log: Log
    folding: Folding
    start_reader: StartReader
    handles: Sequence[type]
    keep_former: timedelta


class VectorChange:
    """Keeps the readers going, fills what is to be filled, and changes over once.

    A collection is complete when the new reader has passed every text there was at a
    position, none of them waits to be tried again, and the views have folded what it
    recorded of them.
    """

    def __init__(self, opened: Opened, parts: ChangeParts) -> None:
        self._opened = opened
        self._parts = parts
        self._tags = [tag_of(each) for each in parts.handles]
        self._steady = asyncio.Event()
        self._steady.set()
        self._settled_at = 0.0
        self._head = 0
        self._seen: deque[tuple[float, int]] = deque(maxlen=60)

    async def start(self) -> asyncio.Task[None]:
        """Start the readers; return the task that goes on for ever."""
        opened, readers = self._opened, []
        filling = opened.filling
        if not isinstance(opened.served.source, Unreachable):
            readers.append(await self._parts.start_reader(opened.served))
        if filling is not None:
            _tell_start(opened.served, filling.known)
            readers.append(await self._parts.start_reader(filling))
        return asyncio.create_task(self._run(readers), name="collections of vectors")

    def detail(self) -> dict[str, Any]:
        """Return what ``/health`` tells of a change under way, else nothing."""
        filling, serving = self._opened.filling, self._opened.serving
        if filling is None or filling.source is serving.source:
            return {}
        told: dict[str, Any] = {
            "from": serving.source.model,
            "to": filling.known.model,
            "position": self._seen[-1][1] if self._seen else 0,
            "head": self._head,
        }
        if isinstance(serving.source, Unreachable):
            told["by_words_because"] = serving.source.reason
        return {"vectors": told}

    async def settled(self, position: int) -> None:
        """Wait, bounded, until what was recorded up to there has its vector.

        That is so at once but for a moment while one collection follows another: a
        text that got its vector for the one before is then waited for in the other.
        """
        until = monotonic() + _WITHIN
        try:
            await asyncio.wait_for(self._steady.wait(), _WITHIN)
        except TimeoutError:
            return
        if monotonic() < self._settled_at:
            await self._complete_to(self._opened.serving.source.model, position, until)

    async def _run(self, readers: list[asyncio.Task[None]]) -> None:
        async with asyncio.TaskGroup() as group:
            for reader in readers:
                group.create_task(_joined(reader))
            if self._opened.filling is not None:
                await self._fill(self._opened.filling)
                if len(readers) > 1:
                    readers[0].cancel()
                await asyncio.sleep(_SETTLES)
                await self._opened.served.running.aclose()
            while True:
                await self._drop()
                await asyncio.sleep(_HOUR)

    async def _fill(self, filling: Source) -> None:
        """Wait until the new collection is complete, and let it serve."""
        while True:
            await asyncio.sleep(_TICK)
            try:
                if await self._is_near(filling.known) and await self._change(filling):
                    return
            except (*LOST, asyncpg.InterfaceError) as lost:
                _LOG.warning("no change of vectors yet: %s", type(lost).__name__)

    async def _is_near(self, known: Known) -> bool:
        """Note how fast it goes; tell whether almost nothing is missing."""
        position, retrying = await self._read(known.model)
        self._seen.append((monotonic(), position))
        (since, first), (now, last) = self._seen[0], self._seen[-1]
        if now > since:
            rate = (last - first) / (now - since)
            await self._opened.ledger.note(known.model, rate)
        self._head = head = await self._parts.log.head()
        return not retrying and await self._missing(position, head, _NEAR) < _NEAR

    async def _change(self, filling: Source) -> bool:
        """Let the new collection serve, if it is complete within a few seconds."""
        self._steady.clear()
        try:
            until = monotonic() + _WITHIN
            model, head = filling.known.model, await self._parts.log.head()
            if not await self._complete_to(model, head, until):
                return False
            since = await self._parts.log.head()
            left = max(0.0, until - monotonic())
            if not await self._parts.folding.wait_for(since, left):
                return False
            known = msgspec.structs.replace(filling.known, since=since)
            await self._opened.ledger.serve(known)
            self._settled_at = monotonic() + _SETTLES
            self._opened.serving.exchange(filling.source, since)
        finally:
            self._steady.set()
        _LOG.warning("Vectors of %s serve from position %s on", model, since)
        return True

    async def _complete_to(self, model: str, position: int, until: float) -> bool:
        """Wait until every text up to there has its vector; False at the bound."""
        while True:
            read, retrying = await self._read(model)
            if not retrying and await self._missing(read, position, 1) == 0:
                return True
            if monotonic() >= until:
                return False
            await asyncio.sleep(0.02)

    async def _read(self, model: str) -> tuple[int, bool]:
        """Return how far the texts were read, and whether any is to be tried again."""
        standing = await FeedLedger(self._parts.pool, reader_name(model)).standing()
        waits = [each.due_in is not None for each in standing.held.values()]
        return standing.position, any(waits)

    async def _missing(self, after: int, through: int, most: int) -> int:
        count: int = await self._parts.pool.fetchval(
            _MISSING, after, through, self._tags, most
        )
        return count

    async def _drop(self) -> None:
        """Drop what served no more for long enough."""
        try:
            kept = self._parts.keep_former
            for model in await due_to_drop(self._parts.pool, kept):
                await drop_collection(self._parts.dsn, model)
                _LOG.warning("Vectors of %s, which served no more, are dropped", model)
        except (*LOST, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            _LOG.warning("former vectors are not dropped yet: %s", type(error).__name__)


async def _joined(reader: asyncio.Task[None]) -> None:
    """Go on while a reader does; one that was cancelled is done with."""
    try:
        await asyncio.shield(reader)
    except asyncio.CancelledError:
        if not reader.cancelled():
            reader.cancel()
            raise


def _tell_start(served: Source, filling: Known) -> None:
    _LOG.warning(
        "Vectors of %s are filled behind; those of %s serve until they are complete",
        filling.model,
        served.known.model,
    )
    if isinstance(served.source, Unreachable):
        _LOG.warning(
            "%s cannot be asked: %s. Until then questions are answered by words",
            served.known.model,
            served.source.reason,
        )
