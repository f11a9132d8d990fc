"""Feeds one processor from the log, key by key, each key in order (section 4).

Delivered is at least once: the checkpoint moves, in order, when every event before
it is done or held, and what was delivered before may come again, cut differently.
"""

import asyncio
import logging
import traceback
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import Final, Protocol

import asyncpg
import msgspec

from commands.ports import EventStoreError, KeyReused
from domain.names import ordering_key_of, shard_of
from domain.recorded import Recorded
from infra.feed_ledger import FeedLedger, Held, Hold, Standing, Superseded
from infra.postgres.connection import LOST
from infra.traffic import GiveWay, at_once
from processors.ports import Unavailable
from processors.processor import Batch, Done, Outcome, Park, Processor, Retry

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


class FeedLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a feed takes on, and how patient it is.

    ``page`` events are looked at in a turn, ``keys_at_once`` keys worked on at a
    time. A key that cannot go on waits ``first_wait`` and twice as long after each
    failure, ``longest_wait`` at most. An error nobody foresaw is tried ``attempts``
    times before its key is parked.
    """

    page: int = 128
    keys_at_once: int = 8
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(minutes=5)
    attempts: int = 5
    idle: float = 1.0


class Feed:
    """One processor's way through the log."""

    def __init__(
        self,
        processor: Processor,
        log: Log,
        ledger: FeedLedger,
        limits: FeedLimits | None = None,
        give_way: GiveWay = at_once,
    ) -> None:
        self._processor = processor
        self._log = log
        self._ledger = ledger
        self._limits = limits or FeedLimits()
        self._give_way = give_way

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
                if (standing := await self.turn()) is not None:
                    await self._log.wait_past(standing.position, self._idle(standing))
                else:
                    await self._give_way(monotonic() - begin)
            except* (*LOST, asyncpg.InterfaceError, EventStoreError) as lost:
                _LOG.warning("%s: %s", self.name, type(lost.exceptions[0]).__name__)
                await asyncio.sleep(self._limits.idle)

    async def turn(self) -> Standing | None:
        """Work on one page and on all keys that are due; where it stands if idle."""
        standing = await self._ledger.standing()
        due = [
            each
            for each in standing.held.values()
            if each.due_in is not None and each.due_in <= timedelta()
        ]
        page = await self._log.next_page(
            after=standing.position, limit=self._limits.page
        )
        if not page and not due:
            return standing
        gate = asyncio.Semaphore(self._limits.keys_at_once)
        async with asyncio.TaskGroup() as group:
            for held in due:
                group.create_task(self._try_again(held, standing.position, gate))
            if page:
                group.create_task(self._work_on(page, standing, gate))
        return None

    async def _work_on(
        self, page: Sequence[Recorded], standing: Standing, gate: asyncio.Semaphore
    ) -> None:
        """Deliver what is new, by key, and move the checkpoint past it."""
        batches: dict[str, list[Recorded]] = {}
        for recorded in page:
            if isinstance(recorded.event, self._processor.handles):
                key = ordering_key_of(recorded.stream)
                batches.setdefault(key, []).append(recorded)
        passed_over = batches.keys() & standing.held.keys()
        async with asyncio.TaskGroup() as group:
            delivered = [
                group.create_task(self._deliver(Batch(key, tuple(events)), 0, gate))
                for key, events in batches.items()
                if key not in passed_over
            ]
        holds = [hold for each in delivered if (hold := each.result()) is not None]
        end = (page[-1].position, page[-1].id)
        try:
            await self._ledger.advance(standing.position, end, holds, passed_over)
        except Superseded:
            _LOG.info("%s: another feed of it went on", self.name)

    async def _try_again(
        self, held: Held, checkpoint: int, gate: asyncio.Semaphore
    ) -> None:
        """Deliver what waits for a held key, and let it flow if all is done."""
        events, through = await self._waiting(held, checkpoint)
        hold = None
        if events:
            hold = await self._deliver(
                Batch(held.key, tuple(events)), held.attempts, gate
            )
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

    async def _deliver(
        self, batch: Batch, attempts: int, gate: asyncio.Semaphore
    ) -> Hold | None:
        """Hand a batch to the processor; what to hold, if it could not go on.

        Before a key is parked its events are tried one by one, so that it is parked
        at the one that cannot be handled.
        """
        async with gate:
            await asyncio.sleep(0)  # requests first
            outcome = await self._outcome(batch, attempts)
            if isinstance(outcome, Park) and len(batch.events) > 1:
                for event in batch.events:
                    batch = Batch(batch.ordering_key, (event,))
                    outcome = await self._outcome(batch, attempts)
                    if not isinstance(outcome, Done):
                        break
        if isinstance(outcome, Done):
            return None
        first = batch.events[0]
        return Hold(
            key=batch.ordering_key,
            tenant=first.tenant,
            position=first.position,
            attempts=attempts + 1,
            after=outcome.after if isinstance(outcome, Retry) else None,
            reason=outcome.reason,
        )

    async def _outcome(self, batch: Batch, attempts: int) -> Outcome:
        try:
            return await self._processor(batch)
        except KeyReused as clash:
            return Park(type(clash).__name__)
        except (Unavailable, EventStoreError) as absent:
            asked = getattr(absent, "retry_after", None)
            return Retry(self._patience(attempts, asked), type(absent).__name__)
        except Exception as bug:  # noqa: BLE001  whatever it is, it stops one key only
            # The text of an error nobody foresaw may quote what somebody said.
            _LOG.error("%s: %s in %s", self.name, type(bug).__name__, _place(bug))
            if attempts + 1 >= self._limits.attempts:
                return Park(type(bug).__name__)
            return Retry(self._patience(attempts, None), type(bug).__name__)

    def _patience(self, attempts: int, asked: float | None) -> timedelta:
        doubled: timedelta = self._limits.first_wait * 2 ** min(attempts, 16)
        wait = max(doubled, timedelta(seconds=asked or 0))
        return min(wait, self._limits.longest_wait)

    def _idle(self, standing: Standing) -> float:
        """Return seconds until a held key is due, or the poll interval."""
        due = [each.due_in for each in standing.held.values()]
        waits = [each.total_seconds() for each in due if each is not None]
        return max(min([self._limits.idle, *waits]), 0.001)


def _place(bug: BaseException) -> str:
    frames = traceback.extract_tb(bug.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
