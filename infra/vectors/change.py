"""A change of the model of vectors, while everything goes on."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import timedelta
from time import monotonic
from typing import Final, Protocol

import asyncpg
import msgspec

from commands.ports import EventStoreError
from infra.postgres.connection import FAILED
from infra.vectors.dropping import drop_collection, due_to_drop
from infra.vectors.following import Following, Log
from infra.vectors.ledger import CollectionLedger, Known
from infra.vectors.reading import Reading

_LOG: Final = logging.getLogger("palimpsest.vectors")

_TICK: Final = 0.5
"""Seconds between two looks at how far the new collection is."""

_NEAR: Final = 64
"""Texts that may be missing when the last of them are waited for."""

_WITHIN: Final = 5.0
"""Seconds the last texts are waited for; then the old collection goes on."""

_HOUR: Final = 3_600.0


class Folding(Protocol):
    """The views that vectors are folded into."""

    def wait_for(self, position: int, timeout: float) -> Awaitable[bool]: ...


class ChangeParts(msgspec.Struct, frozen=True):
    """What a change is made with; ``pool`` may change the processors' tables."""

    dsn: str
    pool: asyncpg.Pool
    log: Log
    folding: Folding
    keep_former: timedelta


class VectorChange:
    """Changes over once what is filled is complete, in one process at a time.

    A collection is complete when its reader has passed every text there was at a
    position, none of them waits to be tried again, and the views have folded what it
    recorded of them.
    """

    def __init__(
        self, following: Following, reading: Reading, parts: ChangeParts
    ) -> None:
        self._following = following
        self._reading = reading
        self._parts = parts
        self._ledger = CollectionLedger(parts.pool)
        self._steady = asyncio.Event()
        self._steady.set()

    async def run(self) -> None:
        """Change over whenever it is time, and drop what is due; for ever."""
        drop_at = 0.0
        while True:
            try:
                filling = self._following.standing.filling
                if filling is not None and await self._is_near(filling):
                    await self._change(filling)
                if monotonic() >= drop_at:
                    await self._drop()
                    drop_at = monotonic() + _HOUR
            except (*FAILED, EventStoreError, TimeoutError) as lost:
                _LOG.warning("no change of vectors yet: %s", type(lost).__name__)
            await asyncio.sleep(_TICK)

    async def settled(self, position: int) -> None:
        """Wait, bounded, until what was recorded up to there has its vector.

        That is so at once but for a moment while one collection follows another: a
        text that got its vector for the one before is then waited for in the other.
        """
        until = monotonic() + _WITHIN
        try:
            async with asyncio.timeout(_WITHIN):
                await self._steady.wait()
        except TimeoutError:
            return
        if monotonic() < self._following.settled_at:
            model = self._following.standing.serving.model
            await self._reading.complete_to(model, position, until)

    async def _is_near(self, filling: Known) -> bool:
        """Note how fast it goes; tell whether almost nothing is missing."""
        rate = self._following.rate
        if rate is not None:
            await self._ledger.note(filling.model, rate)
        position, retrying = await self._reading.of(filling.model)
        head = await self._parts.log.head()
        missing = self._reading.missing
        if retrying or await missing(position, head, _NEAR) >= _NEAR:
            return False
        # Who is asked meanwhile waits for the change: begin none that views hold up.
        return await self._parts.folding.wait_for(head - _NEAR, 0)

    async def _change(self, filling: Known) -> None:
        """Let the new collection serve, if it is complete within a few seconds."""
        self._steady.clear()
        try:
            until = monotonic() + _WITHIN
            head = await self._parts.log.head()
            if not await self._reading.complete_to(filling.model, head, until):
                return
            since = await self._parts.log.head()
            left = max(0.0, until - monotonic())
            if not await self._parts.folding.wait_for(since, left):
                return
            filled = msgspec.structs.replace(filling, since=since)
            if await self._ledger.change_over(filled):
                await self._following.look()
        finally:
            self._steady.set()

    async def _drop(self) -> None:
        """Drop what served no more for long enough."""
        for model in await due_to_drop(self._parts.pool, self._parts.keep_former):
            await drop_collection(self._parts.dsn, model)
            _LOG.warning("Vectors of %s, which served no more, are dropped", model)
