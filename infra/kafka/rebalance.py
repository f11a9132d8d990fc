"""Tells the event loop what a consumer group gives to this member, and takes away."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable
from concurrent.futures import Future
from time import monotonic
from typing import Any, Final, Protocol

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.subscription_state import AsyncConsumerRebalanceListener

from infra.kafka.place import Place

_LOG: Final = logging.getLogger(__name__)

_LOOK: Final = 0.01
"""Seconds between two looks at whether the loop is done."""


class Member(Protocol):
    """Who is told, on the event loop, in this order.

    None of them may wait for a command of its consumer: its thread waits for them.
    """

    async def assigned(self, places: Collection[Place]) -> None:
        """These are ours now; paused, until they are sought and resumed."""
        ...

    async def revoked(self, places: Collection[Place]) -> None:
        """These go to another once this returns, or at the bound."""
        ...

    async def lost(self, places: Collection[Place]) -> None:
        """These may be another's already."""
        ...


class Rebalances(AsyncConsumerRebalanceListener):  # type: ignore[misc]  # kafka has no types
    """Hears on the client's thread what the group decides.

    ``sleep`` waits on that thread, which goes on with heartbeats; ``drop`` forgets
    what was fetched of places; ``bound`` is how long, in seconds, the loop may take to
    let go.
    """

    def __init__(
        self,
        member: Member,
        loop: asyncio.AbstractEventLoop,
        *,
        sleep: Callable[[float], Any],
        drop: Callable[[Collection[Place]], None],
        bound: float,
    ) -> None:
        self.consumer: KafkaConsumer
        self._member = member
        self._loop = loop
        self._sleep = sleep
        self._drop = drop
        self._bound = bound

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Hold the new ones until the loop has said where they go on."""
        for each in assigned:
            self.consumer.pause(each)
            self.consumer.seek(each, 0)
        self._tell(self._member.assigned(_places(assigned)))

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Wait, bounded, until the loop has let go."""
        places = _places(revoked)
        self._drop(places)
        told = self._tell(self._member.revoked(places))
        until = monotonic() + self._bound
        while told is not None and not told.done():
            if monotonic() > until:
                _LOG.warning("%s places are given away while in work", len(places))
                return
            await self._sleep(_LOOK)

    async def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Tell what is gone."""
        places = _places(lost)
        self._drop(places)
        self._tell(self._member.lost(places))

    def _tell(self, telling: Coroutine[Any, Any, None]) -> "Future[None] | None":
        try:
            return asyncio.run_coroutine_threadsafe(telling, self._loop)
        except RuntimeError:  # the loop is over: nobody is left to be told
            telling.close()
            return None


def _places(partitions: Iterable[TopicPartition]) -> list[Place]:
    return [Place(each.topic, each.partition) for each in sorted(partitions)]
