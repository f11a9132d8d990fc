"""What the thread of a consumer does: polls, obeys, keeps one batch, never gives up."""

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import (
    CorruptRecordError,
    FencedInstanceIdError,
    KafkaConnectionError,
    KafkaError,
    OffsetOutOfRangeError,
    UnsupportedCodecError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.selector import NetworkSelector

from infra.kafka.assignor import Assignor
from infra.kafka.connecting import connecting
from infra.kafka.consumer_options import CONSUMES
from infra.kafka.interrupting import Interruptible
from infra.kafka.joining import go_on_joining, is_silent
from infra.kafka.place import Damaged, Fenced, OutOfRange, Place, Records, named_in
from infra.kafka.rebalance import Rebalances
from infra.kafka.trouble import Trouble

_LOG: Final = logging.getLogger(__name__)

POLL_MS: Final = 200
"""Longest poll, while nothing comes and nobody wants anything."""

_MOMENT: Final = 0.05

CLOSE_MS: Final = 5_000

_STILL: Final = 0.1
"""Seconds between two polls for the group's sake, while nobody takes what is there."""

_FOR_GROUP_MS: Final = 20
"""How long such a poll takes; in no time at all the client joins no rebalance."""

_AGAIN: Final = 1.0
"""Seconds until a broker that does not answer is asked again."""

_HEALED: Final = 5.0
"""Seconds a group may take to tell again that it is not for us."""

_KNOWN: Final = 5.0
"""Seconds that partitions of a topic are waited for, before it is subscribed to."""

Command = Callable[[KafkaConsumer], None]


class Consuming:
    """A consumer and the thread's way with it; only :meth:`run` is the thread's.

    ``filled`` is called, on the thread, once there is something to :meth:`take`.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        batch: int,
        filled: Callable[[], None],
        listener: Callable[[Callable[[float], Any]], Rebalances | None],
    ) -> None:
        self._options = {**CONSUMES, **options}
        self._batch = batch
        self._filled = filled
        self._listener = listener
        self.commands: SimpleQueue[Command | None] = SimpleQueue()
        self.stopping = threading.Event()
        self.away = Trouble(_LOG, "nothing is consumed: %s", _HEALED)
        self._lock = threading.Lock()
        self._kept: dict[TopicPartition, list[Any]] = {}
        self._polls = Interruptible(lambda: not self.commands.empty())
        self._trouble: Exception | None = None
        self._topics: Collection[str] = ()
        self._next: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._hears: Rebalances | None = None
        self._client: KafkaNetClient

    def do(self, command: Command | None) -> None:
        """Have the thread do this next, or look around."""
        self.commands.put(command)
        self._polls.interrupt()

    def take(self) -> Records:
        """Take what is kept.

        Raises:
            OutOfRange, Fenced
        """
        with self._lock:
            kept, self._kept = self._kept, {}
            trouble, self._trouble = self._trouble, None
        self.commands.put(None)
        if trouble is not None:
            if kept:
                with self._lock:
                    self._kept = kept | self._kept
                self._filled()
            raise trouble
        return {Place(*each): records for each, records in kept.items()}

    def drop(self, places: Collection[Place]) -> None:
        """Forget what is kept of places."""
        with self._lock:
            for each in places:
                self._kept.pop(TopicPartition(*each), None)

    def subscribe(self, consumer: KafkaConsumer, topics: Collection[str]) -> None:
        """Be a member of the group for these topics."""
        self._topics = topics
        consumer.subscribe(topics=list(topics), listener=self._hears)
        # Who joins before it knows the partitions is given none, for a long time; and
        # an answer under way, to what was asked before, makes the client forget to ask.
        until, cluster = monotonic() + _KNOWN, self._client.cluster
        while monotonic() < until and not all(
            map(cluster.partitions_for_topic, topics)
        ):
            cluster.request_update()
            if self.stopping.wait(_MOMENT):
                return

    def assign(self, consumer: KafkaConsumer, places: Mapping[Place, int]) -> None:
        """Read these places without a group."""
        self._next = {TopicPartition(*each): at for each, at in places.items()}
        self._paused &= self._next.keys()
        self.drop([Place(*each) for each in set(self._kept) - self._next.keys()])
        consumer.assign(list(self._next))
        self.seek(consumer, places)

    def pause(self, consumer: KafkaConsumer, places: Iterable[Place]) -> None:
        held = self.ours(consumer, places)
        self._paused |= set(held)
        consumer.pause(*held)

    def resume(self, consumer: KafkaConsumer, places: Iterable[Place]) -> None:
        held = self.ours(consumer, places)
        self._paused -= set(held)
        consumer.resume(*held)

    def seek(self, consumer: KafkaConsumer, offsets: Mapping[Place, int]) -> None:
        """Go on elsewhere; what was fetched before is forgotten."""
        for each in self.ours(consumer, offsets):
            self.drop([Place(*each)])
            consumer.seek(each, offsets[Place(*each)])
            self._next[each] = offsets[Place(*each)]

    def drained(
        self, consumer: KafkaConsumer, places: Iterable[Place]
    ) -> dict[Place, int]:
        """Return up to where all there is was taken, or is no record."""
        with self._lock:
            firsts = {each: kept[0].offset for each, kept in self._kept.items()}
        return {
            Place(*each): firsts[each]
            if each in firsts
            else consumer.position(each, timeout_ms=CLOSE_MS)
            for each in self.ours(consumer, places)
        }

    @staticmethod
    def ours(consumer: KafkaConsumer, places: Iterable[Place]) -> list[TopicPartition]:
        """Return those that this consumer has now."""
        assigned = consumer.assignment()
        return [TopicPartition(*each) for each in places if each in assigned]

    def run(self) -> None:
        """Do it, until ``stopping`` is set; start anew after an error."""
        while not self.stopping.is_set():
            clients: list[KafkaNetClient] = []
            consumer = None
            try:
                consumer = self._open(clients)
                while not self.stopping.is_set():
                    self._turn(consumer)
            except FencedInstanceIdError as error:
                self._tell(Fenced(str(error)))
                return
            except (KafkaError, OSError) as error:
                self.away.begin(error)
                self.stopping.wait(_AGAIN)
            except Exception as error:
                self._tell(error)
                raise
            finally:
                self._close(consumer, clients)

    def _open(self, clients: list[KafkaNetClient]) -> KafkaConsumer:
        def client(**options: Any) -> KafkaNetClient:
            net = NetworkSelector(**options)
            self._client = connecting(net=net, **options)
            clients.append(self._client)
            self._hears = self._listener(net.sleep)
            return self._client

        assignor = Assignor()
        further = {"kafka_client": client, "partition_assignment_strategy": [assignor]}
        consumer = KafkaConsumer(**self._options | further)
        assignor.has = consumer.assignment
        if self._hears is not None:
            self._hears.consumer = consumer
        if self._topics:
            self.subscribe(consumer, self._topics)
        elif self._next:
            consumer.assign(list(self._next))
            for each, offset in self._next.items():
                consumer.seek(each, offset)
            consumer.pause(*self._paused)
        return consumer

    def _turn(self, consumer: KafkaConsumer) -> None:
        """Obey what is waiting, then poll: for records, or for the group's sake."""
        self._obey(consumer, _STILL if self._kept else 0)
        group = consumer._coordinator if self._topics else None  # noqa: SLF001  nothing public tells
        if group is not None:
            go_on_joining(group)
        if self._kept:
            running = consumer.assignment() - consumer.paused()
            consumer.pause(*running)
            self._poll(consumer, _FOR_GROUP_MS)
            consumer.resume(*((running & consumer.assignment()) - self._paused))
        elif group is not None and is_silent(group):
            # A poll asks over and over, and each is kept until one is answered.
            self._obey(consumer, _FOR_GROUP_MS / 1000)
            group.poll(timeout_ms=_MOMENT * 1000)
            self._look_around()
        elif consumer.assignment() or self._topics:
            self._poll(consumer, POLL_MS)
        else:
            self._obey(consumer, _STILL)

    def _obey(self, consumer: KafkaConsumer, within: float) -> None:
        until = monotonic() + within
        with suppress(Empty):
            while not self.stopping.is_set():
                left = until - monotonic()
                command = self.commands.get(left > 0, max(left, 0) or None)
                if command is not None:
                    command(consumer)
                elif not self._kept:
                    return

    def _poll(self, consumer: KafkaConsumer, timeout_ms: int) -> None:
        try:
            found = self._polls.poll(consumer, timeout_ms, self._batch)
        except OffsetOutOfRangeError as error:
            [offsets] = error.args
            self.pause(consumer, [Place(*each) for each in offsets])
            self._tell(OutOfRange({Place(*e): at for e, at in offsets.items()}))
            return
        except (CorruptRecordError, UnsupportedCodecError) as error:
            running = consumer.assignment() - consumer.paused()
            places = named_in(str(error), [Place(*each) for each in running])
            self.pause(consumer, places)
            self._tell(
                Damaged({p: self._next.get(TopicPartition(*p), 0) for p in places})
            )
            return
        self._look_around()
        if not found:
            return
        with self._lock:
            for each, records in found.items():
                self._kept.setdefault(each, []).extend(records)
                self._next[each] = records[-1].offset + 1
        self._filled()

    def _tell(self, trouble: Exception) -> None:
        with self._lock:
            self._trouble = trouble
        self._filled()

    def _look_around(self) -> None:
        """Notice that no broker is connected, which a poll passes over in silence."""
        client = self._client
        nodes = [each.node_id for each in client.cluster.brokers()]
        if not any(client.connected(each) for each in nodes):
            self.away.begin(client._manager.refusal or KafkaConnectionError())  # noqa: SLF001
        else:
            self.away.end("brokers answer again")

    def _close(
        self, consumer: KafkaConsumer | None, clients: list[KafkaNetClient]
    ) -> None:
        """Close what was opened, however far that came; the group is told."""
        with suppress(KafkaError, OSError, RuntimeError):
            if consumer is not None:
                consumer.close(timeout_ms=CLOSE_MS)
        for each in clients:
            with suppress(KafkaError, OSError, RuntimeError):
                each.close()
