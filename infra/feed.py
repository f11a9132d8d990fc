"""Feeds one processor from the log, key by key, each key in order (section 4).

Delivered is at least once: the checkpoint moves, in order, when every event before
it is done or held, and what was delivered before may come again, cut differently.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from time import monotonic
from typing import Final, Protocol
from uuid import UUID

import asyncpg
import msgspec

from commands.ports import EventStoreError
from domain.recorded import Recorded
from infra.by_key import ByKey
from infra.delivery import FeedLimits
from infra.feed_ledger import FeedLedger, Standing, Superseded
from infra.held_keys import Hold
from infra.postgres.connection import LOST
from infra.telemetry.observers import DeliveryObserver
from infra.traffic import GiveWay, at_once
from processors.processor import Processor

_LOG = logging.getLogger(__name__)


class Log(Protocol):
    """Reads the log by position and tells when it has grown.

    ``next_page`` is for going on, ``read_log`` for looking back.
    """

    async def next_page(self, *, after: int, limit: int) -> Sequence[Recorded]: ...

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]: ...

    def heard(self, position: int) -> None:
        """Note that the log goes at least so far, whoever appended to it."""
        ...

    async def newest(self) -> int:
        """Return the highest position there is, and note it."""
        ...

    async def wait_past(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109  the bound is the point
        """Return True once the log goes beyond a position, False at the bound."""
        ...


class Feed:
    """One processor's way through the log."""

    def __init__(
        self,
        processor: Processor,
        log: Log,
        ledger: FeedLedger,
        limits: FeedLimits | None = None,
        give_way: GiveWay = at_once,
        observers: Sequence[DeliveryObserver] = (),
    ) -> None:
        self._processor = processor
        self._log = log
        self._ledger = ledger
        self._limits = limits or FeedLimits()
        self._give_way = give_way
        self._by_key = ByKey(processor, log, ledger, self._limits, observers)
        self._concerning: Sequence[Recorded] = ()
        self._looked = _NOWHERE
        self._recorded = 0
        self._fresh_until = 0.0

    @property
    def name(self) -> str:
        return self._processor.name

    async def run(self) -> None:
        """Feed for ever; cancel to stop, at any time.

        While the database does not answer it waits and goes on.
        """
        begun = False
        while True:
            try:
                if not begun:
                    await self._ledger.begin()
                    begun = True
                begin = monotonic()
                if await self._passed_by():
                    continue
                if (standing := await self.turn()) is not None:
                    await self._log.wait_past(standing.position, self._idle(standing))
                else:
                    await self._give_way(monotonic() - begin)
            except* (*LOST, asyncpg.InterfaceError, EventStoreError) as lost:
                _LOG.warning("%s: %s", self.name, type(lost.exceptions[0]).__name__)
                await asyncio.sleep(self._limits.idle)

    async def _passed_by(self) -> bool:
        """Look at what is new without the ledger, while none of it concerns us.

        Most of what is appended concerns one processor of several, and reading where
        it stands and moving its checkpoint cost more than looking. What was looked
        at is put on record when a turn comes, after ``idle`` seconds at the latest.
        """
        left = self._fresh_until - monotonic()
        if left <= 0:
            return False
        page = await self._next_page(self._looked.position)
        if self._by_key.concerns(page):
            self._concerning = page
            return False
        if page:
            self._looked = _Looked(page[-1].position, page[-1].id)
        else:
            await self._log.wait_past(self._looked.position, left)
        return True

    async def turn(self) -> Standing | None:
        """Work on one page and on all keys that are due; where it stands if idle."""
        standing = await self._ledger.standing()
        if standing.position < self._recorded:
            # A crash of the database took it back, and what was held with it.
            self._looked = _NOWHERE
        self._recorded = standing.position
        due = [each for each in standing.held.values() if each.is_due]
        after = max(standing.position, self._looked.position)
        page, self._concerning = self._concerning, ()
        if not page or page[0].position != after + 1:
            page = await self._next_page(after)
        self._fresh_until = 0.0 if due else monotonic() + self._idle(standing)
        if not page and not due:
            return await self._put_on_record(standing)
        async with asyncio.TaskGroup() as group:
            for held in due:
                group.create_task(self._by_key.try_again(held, standing.position))
            if page:
                group.create_task(self._work_on(page, standing))
        return None

    async def _work_on(self, page: Sequence[Recorded], standing: Standing) -> None:
        """Deliver what is new, by key, and move the checkpoint past it."""
        delivered = await self._by_key.deliver(page, standing.held)
        end = _Looked(page[-1].position, page[-1].id)
        if await self._advance(standing, end, delivered.holds, delivered.passed_over):
            self._looked = end

    async def _put_on_record(self, standing: Standing) -> Standing:
        """Move the checkpoint to where was looked and nothing found."""
        if self._looked.position > standing.position:
            await self._advance(standing, self._looked, (), ())
        return msgspec.structs.replace(
            standing, position=max(standing.position, self._looked.position)
        )

    async def _advance(
        self,
        standing: Standing,
        end: "_Looked",
        holds: Sequence[Hold],
        passed_over: Collection[str],
    ) -> bool:
        try:
            await self._ledger.advance(
                standing.position, (end.position, end.id), holds, passed_over
            )
        except Superseded:
            _LOG.info("%s: another feed of it went on", self.name)
            self._looked = _NOWHERE
            return False
        self._recorded = end.position
        return True

    async def _next_page(self, after: int) -> Sequence[Recorded]:
        return await self._log.next_page(after=after, limit=self._limits.page)

    def _idle(self, standing: Standing) -> float:
        return self._by_key.idle(standing.held.values())


class _Looked(msgspec.Struct, frozen=True):
    """The last event that was looked at, on record or not."""

    position: int
    id: UUID


_NOWHERE: Final = _Looked(0, UUID(int=0))
