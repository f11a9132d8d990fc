"""Puts calls that ended into the log, behind who asked; none is counted twice."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import asyncpg
import msgspec

from commands.call import record_calls
from commands.decide import Decide
from commands.ports import EventStoreError, Views
from domain.call import LLMCallRecorded
from infra.postgres.connection import LOST
from infra.postgres.llm_calls import CallJournal, Ended, LeftOver

_LOG: Final = logging.getLogger("palimpsest.ledger")

AT_ONCE: Final = 100
"""Most calls recorded in one append."""

_FOLDED_WITHIN: Final = 5.0
_AGAIN: Final = 1.0
_LOOK_EVERY: Final = 15.0
_LEAVE_WITHIN: Final = 5.0

_AWAY: Final = (*LOST, asyncpg.InterfaceError, EventStoreError)


class Settler:
    """Settles what is added to it: journal, log, views, in that order.

    A call counts in the journal until the views show it. What another process left,
    that was killed before it got here, is settled too, after a while.
    """

    def __init__(self, journal: CallJournal, decide: Decide, views: Views) -> None:
        self._journal = journal
        self._decide = decide
        self._views = views
        self._waiting: list[tuple[LLMCallRecorded, Ended | None]] = []
        self._added = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, event: LLMCallRecorded, ended: Ended | None) -> None:
        """Have a call recorded, and ``ended`` written in the journal if it is not."""
        self._waiting.append((event, ended))
        self._idle.clear()
        self._added.set()

    async def run(self) -> None:
        """Settle for ever; cancel to stop."""
        look = 0.0
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self.settle()
                if loop.time() >= look:
                    await self.settle_left_over()
                    look = loop.time() + _LOOK_EVERY
                self._added.clear()
                if not self._waiting:
                    self._idle.set()
                    await _within(self._added, look - loop.time())
            except _AWAY as away:
                _LOG.warning("calls are not yet settled: %s", type(away).__name__)
                await asyncio.sleep(_AGAIN)

    async def settled(self) -> None:
        """Wait, bounded, until all that was added is settled."""
        await _within(self._idle, _LEAVE_WITHIN)

    async def settle(self) -> None:
        """Settle what waits; what could not be is tried again next time."""
        while batch := self._waiting[:AT_ONCE]:
            unwritten = [ended for _, ended in batch if ended is not None]
            if unwritten:
                await self._journal.finish(unwritten)
            await self._record(event for event, _ in batch)

    async def settle_left_over(self) -> None:
        """Record what ended long ago and was not, and what can only be lost."""
        left = await self._journal.left_over()
        if not left:
            return
        told = [(each.tenant, each.id) for each in left if each.is_told]
        if told:
            await self._journal.count(told)
        untold = [each for each in left if not each.is_told]
        lost = [each for each in untold if each.finished_at is None]
        events = {each.id: _event(each) for each in untold}
        if lost:
            await self._journal.finish([_lost(each, events[each.id]) for each in lost])
        await self._record(events.values())

    async def _record(self, events: Iterable[LLMCallRecorded]) -> None:
        """Append them; count them once the views have them all.

        Where that takes long, it is found out later; nothing is appended again.
        """
        recorded: list[tuple[str, str]] = []
        last = 0
        for workspace, calls in _by_workspace(events):
            position = await record_calls(self._decide, workspace, calls)
            ids = {each.id for each in calls}
            self._waiting = [w for w in self._waiting if w[0].id not in ids]
            recorded += [(workspace, each) for each in ids]
            last = max(last, position or 0)
        if not recorded:
            return
        if not last or await self._views.wait_for(last, _FOLDED_WITHIN):
            await self._journal.count(recorded)
        else:
            await self._journal.recorded(recorded)


def _by_workspace(
    events: Iterable[LLMCallRecorded],
) -> Iterator[tuple[str, list[LLMCallRecorded]]]:
    found: dict[str, list[LLMCallRecorded]] = defaultdict(list)
    for event in events:
        found[event.workspace].append(event)
    for workspace, calls in found.items():
        for start in range(0, len(calls), AT_ONCE):
            yield workspace, calls[start : start + AT_ONCE]


def _event(left: LeftOver) -> LLMCallRecorded:
    return msgspec.json.decode(left.record, type=LLMCallRecorded)


def _lost(left: LeftOver, event: LLMCallRecorded) -> Ended:
    return Ended(
        tenant=left.tenant,
        id=left.id,
        finished_at=event.finished_at,
        spent=left.spent,
        record=left.record,
    )


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await event.wait()
    except TimeoutError:
        pass
