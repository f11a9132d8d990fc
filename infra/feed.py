"""Feeds one processor from the log, key by key, each key in order (section 4).

Delivered is at least once: the checkpoint moves, in order, when every event before
it is done or held, and what was delivered before may come again, cut differently.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import timedelta
from time import monotonic
from typing import Final, Protocol
from uuid import UUID

import asyncpg
import msgspec

from commands.ports import EventStoreError
from domain.names import ordering_key_of, shard_of
from domain.recorded import Recorded
from infra.delivery import Delivery, FeedLimits
from infra.feed_ledger import FeedLedger, Held, Hold, Standing, Superseded
from infra.postgres.connection import LOST
from infra.telemetry.observers import DeliveryObserver
from infra.traffic import GiveWay, at_once
from processors.processor import Batch, Processor

_LOG = logging.getLogger(__name__)
_PAGES_SCANNED: Final = 10


class Log(Protocol):
    """Reads the log by position and tells when it has grown.

    ``next_page`` is for going on, ``read_log`` for looking back.
    """

    async def next_page(self, *, after: int, limit: int) -> Sequence[Recorded]: ...

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]: ...

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
        self._delivery = Delivery(processor, self._limits, observers)
        self._concerning: Sequence[Recorded] = ()
        self._looked = _NOWHERE
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
        if any(isinstance(each.event, self._processor.handles) for each in page):
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
        due = [
            each
            for each in standing.held.values()
            if each.due_in is not None and each.due_in <= timedelta()
        ]
        after = max(standing.position, self._looked.position)
        page, self._concerning = self._concerning, ()
        if not page or page[0].position != after + 1:
            page = await self._next_page(after)
        self._fresh_until = 0.0 if due else monotonic() + self._idle(standing)
        if not page and not due:
            return await self._put_on_record(standing)
        async with asyncio.TaskGroup() as group:
            for held in due:
                group.create_task(self._try_again(held, standing.position))
            if page:
                group.create_task(self._work_on(page, standing))
        return None

    async def _work_on(self, page: Sequence[Recorded], standing: Standing) -> None:
        """Deliver what is new, by key, and move the checkpoint past it."""
        batches: dict[str, list[Recorded]] = {}
        for recorded in page:
            if isinstance(recorded.event, self._processor.handles):
                key = ordering_key_of(recorded.stream)
                batches.setdefault(key, []).append(recorded)
        passed_over = batches.keys() & standing.held.keys()
        async with asyncio.TaskGroup() as group:
            delivered = [
                group.create_task(self._delivery(Batch(key, tuple(events)), 0))
                for key, events in batches.items()
                if key not in passed_over
            ]
        holds = [hold for each in delivered if (hold := each.result()) is not None]
        end = _Looked(page[-1].position, page[-1].id)
        if await self._advance(standing, end, holds, passed_over):
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
        return True

    async def _next_page(self, after: int) -> Sequence[Recorded]:
        return await self._log.next_page(after=after, limit=self._limits.page)

    async def _try_again(self, held: Held, checkpoint: int) -> None:
        """Deliver what waits for a held key, and let it flow if all is done."""
        events, through = await self._waiting(held, checkpoint)
        hold = None
        if events:
            hold = await self._delivery(Batch(held.key, tuple(events)), held.attempts)
        if hold is None:
            await self._ledger.release(held.key, through)
        else:
            if hold.position > held.position:
                hold = msgspec.structs.replace(hold, attempts=1)
            await self._ledger.hold_again(hold)

    async def _waiting(self, held: Held, checkpoint: int) -> tuple[list[Recorded], int]:
        """Return a key's next events up to the checkpoint, and how far that reaches."""
        shard = shard_of(held.key)
        events: list[Recorded] = []
        through = held.position - 1
        for _ in range(_PAGES_SCANNED):
            limit = min(self._limits.page, checkpoint - through)
            if limit <= 0 or len(events) >= self._limits.page:
                break
            page = await self._log.read_log(after=through, limit=limit)
            through = page[-1].position
            events += [
                each
                for each in page
                if each.shard == shard
                and isinstance(each.event, self._processor.handles)
                and ordering_key_of(each.stream) == held.key
            ]
        return events, through

    def _idle(self, standing: Standing) -> float:
        """Return seconds until a held key is due, or the poll interval."""
        due = [each.due_in for each in standing.held.values()]
        waits = [each.total_seconds() for each in due if each is not None]
        return max(min([self._limits.idle, *waits]), 0.001)


class _Looked(msgspec.Struct, frozen=True):
    """The last event that was looked at, on record or not."""

    position: int
    id: UUID


_NOWHERE: Final = _Looked(0, UUID(int=0))
