"""One thread that owns a KafkaConsumer, driven from asyncio (``event-store.md`` 5).

The loop takes records when it wants them. Until then one batch is kept and places stand
still, while the thread goes on polling, so that the group never expels a member that
is slow. While no broker answers it tries on, and says so once.
"""

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final, TypeVar

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaConnectionError
from kafka.structs import OffsetAndMetadata

from infra.kafka.consuming import CLOSE_MS, Consuming
from infra.kafka.place import Place, Records
from infra.kafka.rebalance import Member, Rebalances
from infra.kafka.trouble import Trouble

T = TypeVar("T")

BATCH: Final = 500
"""Most records handed over at a time."""

_LETS_GO: Final = 10.0

_CLOSED_WITHIN: Final = 6.0
"""Seconds a close may take, though no broker answers: all of a stop has 10."""


class ConsumerThread:
    """A consumer of a group (``subscribe``) or of places of its own (``assign``).

    ``options`` are ``client_options`` and, for a group, ``group_id`` and what else
    belongs to its membership; then ``member`` is told of rebalances. ``lets_go`` is
    how long, in seconds, it may take to let go of a place.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        member: Member | None = None,
        *,
        batch: int = BATCH,
        lets_go: float = _LETS_GO,
    ) -> None:
        self._member = member
        self._lets_go = lets_go
        self._inside = Consuming(options, batch, self._is_filled, self._listener)
        self._thread = threading.Thread(
            target=self._run, daemon=True, name=f"consume {options['client_id']}"
        )
        self._undone: set[Future[Any]] = set()
        self._is_over = False
        self._filled = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop

    def start(self) -> None:
        """Start the thread; call on the loop that is to be told."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    @property
    def away(self) -> Trouble:
        """Why no broker answers, or lets us do this."""
        return self._inside.away

    async def close(self) -> None:
        """Leave the group (a static member does not), end the thread; bounded."""
        self._inside.stopping.set()
        self._inside.do(None)
        await asyncio.to_thread(self._thread.join, _CLOSED_WITHIN)

    async def poll(self, within: float = 1.0) -> Records:
        """Take what was fetched; nothing if nothing comes within so many seconds.

        Raises:
            OutOfRange, Damaged: some places cannot be read on; they are paused.
            Fenced: another process is this member now; nothing will come any more.
        """
        try:
            async with asyncio.timeout(within):
                await self._filled.wait()
        except TimeoutError:
            return {}
        self._filled.clear()
        return self._inside.take()

    def nudge(self) -> None:
        """Let whoever polls look around, though nothing was fetched."""
        self._filled.set()

    async def subscribe(self, topics: Collection[str]) -> None:
        """Be a member of the group for these topics, instead of those before."""
        await self.do(lambda c: self._inside.subscribe(c, tuple(topics)))

    async def assign(self, places: Mapping[Place, int]) -> None:
        """Read these places, each from an offset on, without a group."""
        await self.do(lambda c: self._inside.assign(c, places))

    async def pause(self, places: Collection[Place]) -> None:
        """Fetch no more of them until they are resumed."""
        await self.do(lambda c: self._inside.pause(c, places))

    async def resume(self, places: Collection[Place]) -> None:
        """Fetch on; those that are not ours any more are left out."""
        await self.do(lambda c: self._inside.resume(c, places))

    async def seek(self, offsets: Mapping[Place, int]) -> None:
        """Go on from these offsets; those that are not ours any more are left out.

        No record fetched before is handed over after this returns.
        """
        await self.do(lambda c: self._inside.seek(c, offsets))

    async def drained(self, places: Collection[Place]) -> Mapping[Place, int]:
        """Return the offset up to which all there is of each was taken."""
        return await self.do(lambda c: self._inside.drained(c, places))

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """Tell the group's lag tools where the next record is; nobody starts there.

        Raises:
            KafkaError: it is not told; a rebalance is under way, for example.
        """
        told = {
            TopicPartition(*place): OffsetAndMetadata(offset, "", -1)
            for place, offset in offsets.items()
        }
        await self.do(lambda c: c.commit(told, timeout_ms=CLOSE_MS))

    async def parts(self, topic: str) -> Collection[int]:
        """Return the partitions of a topic, none if there is no such topic."""
        found: set[int] = await self.do(lambda c: c.partitions_for_topic(topic))
        return found

    async def beginnings(self, places: Collection[Place]) -> Mapping[Place, int]:
        """Return the first offset there is of each."""
        tps = _partitions(places)
        found = await self.do(lambda c: c.beginning_offsets(tps, timeout_ms=CLOSE_MS))
        return {Place(*each): offset for each, offset in found.items()}

    async def ends(self, places: Collection[Place]) -> Mapping[Place, int]:
        """Return the offset after the last committed record of each."""
        tps = _partitions(places)
        found = await self.do(lambda c: c.end_offsets(tps, timeout_ms=CLOSE_MS))
        return {Place(*each): offset for each, offset in found.items()}

    async def at_times(self, times: Mapping[Place, int]) -> Mapping[Place, int]:
        """Return each one's first offset at a time (ms) or later, or its end."""
        tps = {TopicPartition(*place): at for place, at in times.items()}

        def look(consumer: KafkaConsumer) -> dict[Place, int]:
            ends = consumer.end_offsets(list(tps), timeout_ms=CLOSE_MS)
            found = consumer.offsets_for_times(dict(tps), timeout_ms=CLOSE_MS)
            return {
                Place(*each): ends[each] if found[each] is None else found[each].offset
                for each in tps
            }

        return await self.do(look)

    async def do(self, command: Callable[[KafkaConsumer], T]) -> T:
        """Have the thread do this with its consumer; waits while no broker answers.

        Raises:
            KafkaError: whatever the command raises, or the thread has ended.
        """
        done: Future[T] = Future()
        self._undone.add(done)
        done.add_done_callback(self._undone.discard)

        def carry_out(consumer: KafkaConsumer) -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                done.set_result(command(consumer))
            except BaseException as error:  # noqa: BLE001  the caller's, not the thread's
                done.set_exception(error)

        self._inside.do(carry_out)
        if self._is_over:
            self._refuse()
        return await asyncio.wrap_future(done)

    def _run(self) -> None:
        try:
            self._inside.run()
        finally:
            self._is_over = True
            self._refuse()

    def _refuse(self) -> None:
        """Let nobody wait for a thread that has ended."""
        for each in list(self._undone):
            if not each.done() and each.set_running_or_notify_cancel():
                each.set_exception(KafkaConnectionError("This consumer has ended"))

    def _is_filled(self) -> None:
        with suppress(RuntimeError):  # the loop is over: nobody is left to be told
            self._loop.call_soon_threadsafe(self._filled.set)

    def _listener(self, sleep: Callable[[float], Any]) -> Rebalances | None:
        if self._member is None:
            return None
        return Rebalances(
            self._member,
            self._loop,
            sleep=sleep,
            drop=self._inside.drop,
            bound=self._lets_go,
        )


def _partitions(places: Iterable[Place]) -> list[TopicPartition]:
    return [TopicPartition(*each) for each in places]
