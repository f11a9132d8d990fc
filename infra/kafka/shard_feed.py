"""Feeds one processor from the topic, key by key, as ``Feed`` does from the log.

Delivered is at least once: ranges move when every event before is done or held. What
is not kept of the topic is read from the log.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

import asyncpg
import msgspec

from commands.ports import EventStoreError
from domain.names import shard_of
from domain.recorded import Recorded
from infra.by_key import ByKey
from infra.delivery import FeedLimits
from infra.held_keys import Held
from infra.kafka.inflow import Inflow
from infra.kafka.inlet import Inlet, Portion
from infra.kafka.shard_ledger import ShardLedger, ShardStanding
from infra.kafka.shard_ranges import Move, ShardRange
from infra.postgres.connection import LOST
from infra.postgres.log_by_shards import LogByShards
from infra.telemetry.observers import DeliveryObserver
from infra.traffic import GiveWay, at_once
from processors.processor import Processor

_LOG: Final = logging.getLogger(__name__)

_ALIKE: Final = 0.5

_AGAIN: Final = (
    *(*LOST, asyncpg.InterfaceError, asyncpg.DeadlockDetectedError),
    EventStoreError,
)


class Part(msgspec.Struct, frozen=True):
    """A range that is this worker's now, what it is fed from, and what comes next."""

    range: ShardRange
    inlet: Inlet
    portion: Portion


class ShardFeed:
    """One processor's way through what this worker has of the topic."""

    def __init__(
        self,
        processor: Processor,
        inflow: Inflow,
        log: LogByShards,
        ledger: ShardLedger,
        limits: FeedLimits | None = None,
        give_way: GiveWay = at_once,
        observers: Sequence[DeliveryObserver] = (),
    ) -> None:
        self._processor = processor
        self._inflow = inflow
        self._log = log
        self._ledger = ledger
        self._limits = limits or FeedLimits()
        self._give_way = give_way
        self._by_key = ByKey(processor, log, ledger, self._limits, observers)
        self._seat = inflow.join(processor.name, ledger)
        self._looked: dict[int, Portion] = {}
        self._fresh_until = 0.0
        self._is_known = False
        self._had: Sequence[Inlet] = ()

    @property
    def name(self) -> str:
        return self._processor.name

    async def run(self) -> None:
        """Feed for ever; cancel to stop, at any time.

        Raises:
            FedOtherwise: another worker is fed from the log as a whole.
        """
        try:
            while True:
                if self._inflow.failed is not None:
                    raise self._inflow.failed
                try:
                    begin = monotonic()
                    if await self._passed_by():
                        continue
                    if (standing := await self.turn()) is not None:
                        await self._wait(self._idle(standing))
                    else:
                        await self._give_way(monotonic() - begin)
                except* _AGAIN as lost:
                    name = type(lost.exceptions[0]).__name__
                    _LOG.warning("%s: %s", self.name, name)
                    await asyncio.sleep(self._limits.idle)
        finally:
            self._inflow.leave(self.name)

    async def turn(self) -> ShardStanding | None:
        """Work on what is there and on all keys that are due; where it stands if idle.

        What belongs to other workers is theirs.
        """
        self._seat.woken.clear()
        standing = await self._standing()
        inlets = await self._inlets(standing)
        ours = [
            (r, i) for r in standing.ranges if (i := _inlet_of(r, inlets)) is not None
        ]
        with self._inflow.at_work([inlet for _, inlet in ours]):
            parts = await self._parts(ours)
            due = self._due(standing, ours)
            if due:
                self._fresh_until = 0.0
            if not due and not self._by_key.concerns(_events(parts)):
                return None if await self._advance(parts) else standing
            async with asyncio.TaskGroup() as group:
                for held, position in due:
                    group.create_task(self._by_key.try_again(held, position))
                group.create_task(self._work_on(parts, standing))
        return None

    async def _passed_by(self) -> bool:
        """Look at what is new without the ledger, while none of it concerns us."""
        left, seat = self._fresh_until - monotonic(), self._seat
        if left <= 0 or seat.standing is None or seat.generation is None:
            return False
        self._seat.woken.clear()
        inlets = self._inflow.inlets_of(seat.generation)
        for each in seat.standing.ranges:
            if (inlet := _inlet_of(each, inlets)) is None:
                continue
            portion = inlet.take(self._after(each), each.low, each.high, 10**6)
            if portion is None or self._by_key.concerns(portion.events):
                return False
            self._look(each, inlet, portion)
        await self._wait(left)
        return True

    async def _standing(self) -> ShardStanding:
        """Return where it stands: as read, and as moved by this feed alone since.

        A range moves only from where it was found, so what another moved or cut
        meanwhile is noticed then; who holds a key moves its range, too. What is given
        to us now was another's until now.
        """
        reads = self._seat.generation
        has = self._inflow.inlets_of(reads) if reads is not None else []
        known = self._is_known and monotonic() < self._fresh_until and has == self._had
        self._is_known = False
        if (standing := self._seat.standing) is None or not known:
            before, self._had = standing, has
            standing = self._seat.standing = await self._ledger.standing()
            for low in standing.set_back_from(before):
                self._looked.pop(low, None)
            until = monotonic() + self._idle(standing)
            self._fresh_until = until - until % _ALIKE  # when others look, too
        return standing

    async def _inlets(self, standing: ShardStanding) -> list[Inlet]:
        """Return what is read now; the next generation once this one is done."""
        generation = self._inflow.generation_of(standing)
        self._seat.generation = generation
        if generation is None:
            return []
        inlets = self._inflow.inlets_of(generation)
        if any(_straddles(each, inlets) for each in standing.ranges):
            await self._ledger.cut(generation.partitions)
            self._looked.clear()
            self._seat.woken.set()
            return []
        return inlets

    async def _parts(self, ours: Iterable[tuple[ShardRange, Inlet]]) -> list[Part]:
        """Take what is new of each range, a page of all of them together.

        Whichever is furthest behind is first: a page may hold no more than that.
        """
        parts, left = [], self._limits.page
        for each, inlet in sorted(ours, key=lambda pair: self._after(pair[0])):
            after = self._after(each)
            portion = inlet.take(after, each.low, each.high, max(left, 1))
            if portion is None:
                portion = await self._from_log(each, inlet, after, max(left, 1))
            if portion.through <= after:
                portion = self._looked.get(each.low, portion)
            if portion.through > each.position:
                parts.append(Part(each, inlet, portion))
            left -= len(portion.events)
            if left <= 0:
                break
        return parts

    async def _from_log(
        self, each: ShardRange, inlet: Inlet, after: int, limit: int
    ) -> Portion:
        shards = range(each.low, each.high)
        events, through = await self._log.read_shards(
            shards, after=after, through=inlet.floor, limit=limit
        )
        at = await self._log.event_at(through)
        return Portion(events, through, at and at[0])

    async def _work_on(self, parts: Sequence[Part], standing: ShardStanding) -> None:
        """Deliver what is new, by key, and move its ranges past it."""
        delivered = await self._by_key.deliver(_events(parts), standing.held)
        moves = [_move(each) for each in parts]
        moved = await self._ledger.advance(
            moves, delivered.holds, delivered.passed_over
        )
        self._note(parts, moved, clean=not delivered.holds)

    async def _advance(self, parts: Sequence[Part]) -> bool:
        """Put on record what concerns nobody; tell whether there was any."""
        if not parts:
            return False
        moved = await self._ledger.advance([_move(each) for each in parts])
        self._note(parts, moved)
        return any(each.portion.events for each in parts)

    def _note(
        self, parts: Sequence[Part], moved: Iterable[int], *, clean: bool = True
    ) -> None:
        """Note what was put on record; ``clean`` says that no key was held."""
        there = set(moved)
        for each in parts:
            if each.range.low in there:
                self._look(each.range, each.inlet, each.portion)
            else:
                _LOG.info("%s: another feed of it went on", self.name)
                self._looked.pop(each.range.low, None)
        if standing := self._seat.standing:
            moves = [_move(each) for each in parts if each.range.low in there]
            self._seat.standing = standing.moved(moves)
            self._is_known = clean and len(moves) == len(parts) and not standing.held

    def _look(self, each: ShardRange, inlet: Inlet, portion: Portion) -> None:
        if portion.through > self._after(each):
            self._looked[each.low] = msgspec.structs.replace(portion, events=())
        self._inflow.has_seen(inlet, self.name, each.low, self._after(each))

    def _after(self, each: ShardRange) -> int:
        looked = self._looked.get(each.low)
        return each.position if looked is None else max(each.position, looked.through)

    def _due(
        self, standing: ShardStanding, ours: Sequence[tuple[ShardRange, Inlet]]
    ) -> list[tuple[Held, int]]:
        """Return the keys to try again, and how far each one's range is."""
        due = [held for held in standing.held.values() if held.is_due]
        return [(h, e.position) for h in due for e, _ in ours if e.has(shard_of(h.key))]

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._seat.woken.wait()

    def _idle(self, standing: ShardStanding) -> float:
        return self._by_key.idle(standing.held.values())


def _inlet_of(each: ShardRange, inlets: Iterable[Inlet]) -> Inlet | None:
    for inlet in inlets:
        if inlet.shards.start <= each.low and each.high <= inlet.shards.stop:
            return inlet
    return None


def _straddles(each: ShardRange, inlets: Iterable[Inlet]) -> bool:
    """Tell whether a range is partly a place's and partly another's."""
    return any(
        each.low < inlet.shards.stop
        and each.high > inlet.shards.start
        and not (inlet.shards.start <= each.low and each.high <= inlet.shards.stop)
        for inlet in inlets
    )


def _events(parts: Iterable[Part]) -> list[Recorded]:
    return [event for each in parts for event in each.portion.events]


def _move(each: Part) -> Move:
    portion = each.portion
    return Move(
        range=each.range,
        through=portion.through,
        event=portion.event,
        place=None if portion.next is None else each.inlet.place,
        next=portion.next,
    )
