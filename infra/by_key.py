"""Work on events key by key, each key in order: the same whatever they come from."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from domain.names import ordering_key_of, shard_of
from domain.recorded import Recorded
from infra.delivery import Delivery, FeedLimits
from infra.held_keys import Held, Hold
from infra.telemetry.observers import DeliveryObserver
from infra.unread import Handled, is_unread, readable
from processors.processor import Batch, Processor

_PAGES_SCANNED: Final = 10


class LooksBack(Protocol):
    """Reads the log from any position on."""

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]: ...

    def heard(self, position: int) -> None:
        """Note that the log goes at least so far, whoever appended to it."""
        ...

    async def newest(self) -> int:
        """Return the highest position there is, and note it."""
        ...


class HoldsKeys(Protocol):
    """Keeps the keys that wait."""

    async def hold_again(self, hold: Hold) -> None: ...

    async def release(self, key: str, through: int) -> None: ...


class Delivered(msgspec.Struct, frozen=True):
    """What came of events: keys to hold, and keys that were held and not delivered."""

    holds: Sequence[Hold]
    passed_over: Collection[str]


class ByKey:
    """One processor's deliveries, and its keys that are tried again."""

    def __init__(
        self,
        processor: Processor,
        log: LooksBack,
        ledger: HoldsKeys,
        limits: FeedLimits,
        observers: Sequence[DeliveryObserver] = (),
    ) -> None:
        self._handled = Handled(processor.handles)
        self._log = log
        self._ledger = ledger
        self._limits = limits
        self._delivery = Delivery(processor, limits, observers)

    def concerns(self, events: Iterable[Recorded]) -> bool:
        """Tell whether any of them is for this processor."""
        return any(self._handled.has(each) for each in events)

    async def deliver(
        self, events: Iterable[Recorded], held: Mapping[str, Held]
    ) -> Delivered:
        """Deliver what is new, by key; keys that are held are passed over."""
        batches: dict[str, list[Recorded]] = {}
        for recorded in events:
            if self._handled.has(recorded):
                key = ordering_key_of(recorded.stream)
                batches.setdefault(key, []).append(recorded)
        passed_over = batches.keys() & held.keys()
        self._hear(batches.values())
        async with asyncio.TaskGroup() as group:
            delivered = [
                group.create_task(self._hand_over(key, events, 0))
                for key, events in batches.items()
                if key not in passed_over
            ]
        holds = [hold for each in delivered if (hold := each.result()) is not None]
        return Delivered(holds, passed_over)

    async def try_again(self, held: Held, checkpoint: int) -> None:
        """Deliver what waits for a held key, and let it flow if all is done."""
        events, through = await self._waiting(held, checkpoint)
        hold = None
        if events:
            # It waited, and may be behind all that happened to its key meanwhile.
            await self._log.newest()
            hold = await self._hand_over(held.key, events, held.attempts)
        if hold is None:
            await self._ledger.release(held.key, through)
        else:
            if hold.position > held.position:
                hold = msgspec.structs.replace(hold, attempts=1)
            await self._ledger.hold_again(hold)

    def idle(self, held: Iterable[Held]) -> float:
        """Return seconds until a held key is due, or the poll interval."""
        due = [each.due_in for each in held]
        waits = [each.total_seconds() for each in due if each is not None]
        return max(min([self._limits.idle, *waits]), 0.001)

    async def _hand_over(
        self, key: str, events: Sequence[Recorded], attempts: int
    ) -> Hold | None:
        """Deliver what can be read, up to what cannot; what to hold, if anything."""
        hold, these = None, readable(events)
        if these:
            hold = await self._delivery(Batch(key, tuple(these)), attempts)
        if hold is None and len(these) < len(events):
            hold = self._delivery.cannot_read(key, events[len(these)], attempts)
        return hold

    def _hear(self, batches: Iterable[Sequence[Recorded]]) -> None:
        """Have what is delivered known to who looks at streams meanwhile.

        Another process may have appended it, and its announcement may be lost.
        """
        if newest := max((each[-1].position for each in batches), default=0):
            self._log.heard(newest)

    async def _waiting(self, held: Held, checkpoint: int) -> tuple[list[Recorded], int]:
        """Return a key's next events up to the checkpoint, and how far that reaches."""
        shard = shard_of(held.key)
        events: list[Recorded] = []
        through = held.position - 1
        for _ in range(_PAGES_SCANNED):
            limit = min(self._limits.page, checkpoint - through)
            if limit <= 0 or len(events) >= self._limits.page:
                break
            if any(map(is_unread, events)):  # it goes no further than that
                break
            page = await self._log.read_log(after=through, limit=limit)
            through = page[-1].position
            events += [
                each
                for each in page
                if each.shard == shard
                and self._handled.has(each)
                and ordering_key_of(each.stream) == held.key
            ]
        return events, through
