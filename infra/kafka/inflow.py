"""What a worker's processors are fed from the topic: fetched, decoded and kept once.

One consumer for all of them. The log is what is true: a processor that is behind what
is kept, or whose part of the topic is gone, reads the log until it is there. A place
goes on where the least of those that are near it stands, and what they have seen is
dropped by its position.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Final, NoReturn

from kafka.errors import KafkaError

from infra.kafka.consumer_thread import ConsumerThread
from infra.kafka.dead_letters import DeadLetters
from infra.kafka.decoding import decode, unread
from infra.kafka.generations import Generation, Generations
from infra.kafka.inlet import KEPT, Inlet, pressed
from infra.kafka.names import shards_of
from infra.kafka.place import Damaged, OutOfRange, Place, Records
from infra.kafka.placing import Placing
from infra.kafka.seat import Seat, generation_of
from infra.kafka.shard_ledger import ShardLedger, ShardStanding
from infra.kafka.shard_ranges import ShardRange
from infra.kafka.trouble import Trouble
from infra.postgres.connection import FAILED
from infra.postgres.log_by_shards import LogByShards

_LOG: Final = logging.getLogger(__name__)

_LOOK: Final = 1.0
"""Seconds between two looks at the generations, and two notes for lag tools."""

_KEPT_BYTES: Final = 32 * 2**20
"""Bytes kept of all partitions together, about, before fetching stands still."""


class Inflow:
    """Fulfils ``Member``: takes what the group gives, and lets go when it is taken."""

    def __init__(
        self, generations: Generations, log: LogByShards, letters: DeadLetters
    ) -> None:
        self.consumer: ConsumerThread
        self.rebalances = 0
        self._generations = generations
        self._log = log
        self.letters = letters
        self._known: Sequence[Generation] = ()
        self._seats: dict[str, Seat] = {}
        self._inlets: dict[Place, Inlet] = {}
        self._without: dict[Place, Inlet] = {}
        self._unplaced: set[Place] = set()
        self._damaged: set[Place] = set()
        self._topics: set[str] = set()
        self._gone: set[str] = set()
        self._told: Mapping[Place, int] = {}
        self._waits = Trouble(_LOG, "nothing is fetched now: %s")
        self.failed: Exception | None = None
        self._at_work: Counter[Place] = Counter()
        self._rested = asyncio.Event()
        self._look_at = 0.0

    def join(self, name: str, ledger: ShardLedger) -> Seat:
        """Feed a processor, until it leaves."""
        seat = Seat(name, ledger, asyncio.Event())
        self._seats[name] = seat
        self._look_at = 0.0
        return seat

    def leave(self, name: str) -> None:
        """Feed it no more; nobody waits for it."""
        self._seats.pop(name, None)
        for each in self._inlets.values():
            each.leave(name)

    def generation_of(self, standing: ShardStanding) -> Generation | None:
        """Return what a processor that stands there reads now, if there is anything."""
        return generation_of(standing, self._known, self._gone)

    def inlets_of(self, generation: Generation) -> list[Inlet]:
        """Return what this worker has of a generation now."""
        had = self._inlets | self._without
        return [e for p, e in had.items() if p.topic == generation.topic]

    def feed_from_log(self, inlets: Sequence[Inlet]) -> None:
        """Feed these instead of what the group gives of a topic that is gone."""
        self._without = {each.place: each for each in inlets}
        self._wake()

    @contextmanager
    def at_work(self, inlets: Collection[Inlet]) -> Iterator[None]:
        """Say what is worked on: it is not given away before, within a bound."""
        places = [each.place for each in inlets]
        self._at_work.update(places)
        try:
            yield
        finally:
            self._at_work.subtract(places)
            self._rested.set()

    def has_seen(self, inlet: Inlet, who: str, low: int, position: int) -> None:
        """Note how far a processor came; fetch on where that was waited for."""
        inlet.has_seen(who, low, position)
        if inlet.paused and inlet.unseen() < KEPT // 2:
            self.consumer.nudge()

    @property
    def paused(self) -> int:
        """How many places stand still because nobody keeps up."""
        return sum(each.paused for each in self._inlets.values())

    @property
    def places(self) -> int:
        """How many places this worker has."""
        return len(self._inlets | self._without)

    def lags(self) -> Mapping[tuple[str, int], int]:
        """Return positions behind the topic, by processor and partition it has here."""
        return {
            (seat.name, inlet.place.part): seat.behind(inlet.shards)
            for seat in self._seats.values()
            for inlet in (self.inlets_of(seat.generation) if seat.generation else ())
        }

    async def assigned(self, places: Collection[Place]) -> None:
        """See ``Member``."""
        self.rebalances += 1
        self._unplaced |= set(places)
        self.consumer.nudge()

    async def revoked(self, places: Collection[Place]) -> None:
        """Stop at what is under way; see ``Member``."""
        self.rebalances += 1
        self._drop(places)
        while any(self._at_work[each] > 0 for each in places):
            self._rested.clear()
            await self._rested.wait()

    async def lost(self, places: Collection[Place]) -> None:
        """See ``Member``."""
        self.rebalances += 1
        self._drop(places)

    async def run(self) -> NoReturn:
        """Fetch for ever; cancel to stop.

        Raises:
            Fenced: another worker has the same ``KAFKA_INSTANCE_ID``.
        """
        while True:
            try:
                await self._turn()
                self._waits.end("it is fetched again")
            except (KafkaError, *FAILED) as away:
                self._waits.begin(away)
                await asyncio.sleep(_LOOK)
            except Exception as error:
                self.failed = error
                self._wake()
                raise

    async def _turn(self) -> None:
        if monotonic() >= self._look_at:
            await self._look()
            self._look_at = monotonic() + _LOOK
        if self._unplaced:
            await self._place()
        try:
            records = await self.consumer.poll(max(0.0, self._look_at - monotonic()))
        except (OutOfRange, Damaged) as found:
            self._place_again(found.places)
            if isinstance(found, Damaged):
                self._damaged |= found.places.keys()
                told = [unread(place, at) for place, at in found.places.items()]
                await self.letters.tell(told)
            return
        try:
            await self._keep(records)
        except FAILED:
            self._place_again(records)
            raise
        await self._press()

    async def _look(self) -> None:
        """Look at the generations, and read those that processors are at."""
        self._known = await self._generations.all()
        for seat in list(self._seats.values()):
            if seat.standing is None:
                seat.standing = await seat.ledger.standing()
            seat.generation = self.generation_of(seat.standing)
        wanted = {s.generation.topic for s in self._seats.values() if s.generation}
        parts = self.consumer.parts
        for each in self._known:  # an ended one whose topic was deleted is passed by
            is_over = each.topic in wanted and each.state == "ended"
            if is_over and not (await parts(each.topic) or await parts(each.topic)):
                self._gone.add(each.topic)  # twice: an earlier answer may come first
        wanted -= self._gone
        if wanted and wanted != self._topics:
            self._topics = wanted
            await self.consumer.subscribe(sorted(wanted))
        for each in self._known:
            await self._note_quiet(each)
        await self._tell_lag_tools()
        self._wake()

    async def _tell_lag_tools(self) -> None:
        """Commit where the slowest stands: for tools of Kafka, nobody begins there."""
        least: dict[Place, int] = {}
        for seat in self._seats.values():
            for each in seat.standing.ranges if seat.standing else ():
                if each.place in self._inlets and each.next is not None:
                    least[each.place] = min(each.next, least.get(each.place, each.next))
        if least and least != self._told:
            self._told = least
            with suppress(KafkaError):
                await self.consumer.commit(least)

    async def _note_quiet(self, generation: Generation) -> None:
        """Let places on where nothing came: all up to a position is in the topic."""
        inlets = self.inlets_of(generation)
        if not inlets or len(generation.tails) != generation.partitions:
            return
        at = await self._log.event_at(generation.position)
        if at is not None:
            for each in inlets:
                tail = generation.tails[each.place.part]
                each.is_quiet(tail, generation.position, at[0])

    async def _place(self) -> None:
        """Find where new places go on, and fetch them from there."""
        by_topic = self._by_topic()
        ours = {each for each in self._unplaced if each.topic in by_topic}
        ranges: dict[Place, list[ShardRange]] = {each: [] for each in ours}
        for seat in list(self._seats.values()):
            standing = await seat.ledger.standing()
            for place in ours:
                if seat.generation and seat.generation.topic == place.topic:
                    shards = shards_of(place.part, by_topic[place.topic].partitions)
                    ranges[place] += [
                        each
                        for each in standing.ranges
                        if each.low < shards.stop and each.high > shards.start
                    ]
        ranges = {place: those for place, those in ranges.items() if those}
        begun = await Placing(self.consumer, self._log).find(ranges, self._damaged)
        await self.consumer.seek({p: start.offset for p, start in begun.items()})
        for place, start in begun.items():
            if place in self._unplaced:
                shards = shards_of(place.part, by_topic[place.topic].partitions)
                inlet = Inlet(place, shards, start.position, start.offset)
                self._inlets[place] = inlet
        self._unplaced -= begun.keys()
        self._damaged -= begun.keys()
        await self.consumer.resume([p for p in begun if p in self._inlets])
        self._wake()

    async def _keep(self, records: Records) -> None:
        """Decode what was fetched, and hand it to whoever is fed here."""
        known = {p: those for p, those in records.items() if p in self._inlets}
        partitions = {t: g.partitions for t, g in self._by_topic().items()}
        decoded = await decode(known, self._log, partitions)
        await self.letters.tell(decoded.poison)
        for place, arrived in decoded.arrived.items():
            if (inlet := self._inlets.get(place)) is not None:
                inlet.offer(arrived)
        self._wake()

    async def _press(self) -> None:
        """Let places stand still that nobody keeps up with, and others go on."""
        still, on = pressed(self._inlets.values(), _KEPT_BYTES)
        if still or on:
            await self.consumer.pause([each.place for each in still])
            await self.consumer.resume([each.place for each in on])

    def _place_again(self, places: Collection[Place]) -> None:
        """Begin anew with places of which something did not arrive."""
        again = [each for each in places if each in self._inlets]
        self._drop(again)
        self._unplaced |= set(again)

    def _drop(self, places: Collection[Place]) -> None:
        for each in places:
            self._unplaced.discard(each)
            self._inlets.pop(each, None)
        self._wake()

    def _wake(self) -> None:
        for seat in self._seats.values():
            seat.woken.set()

    def _by_topic(self) -> Mapping[str, Generation]:
        return {each.topic: each for each in self._known}
