"""Starts deliveries as they fall due, side by side, for ever.

What is due is read from a view, so a restart loses nothing. Each endpoint has slots of
its own: a slow or dead one holds up nobody else.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

import asyncpg
import msgspec

from commands.ports import EventStoreError
from infra.codec.errors import Unreadable
from infra.postgres.connection import LOST
from infra.stopping import stop
from processors.deliver_webhooks import DeliverWebhooks
from processors.sending import Waiting
from projections.ports import Database
from projections.webhook_deliveries import Delivery, Slots, due_deliveries, next_due

_LOG = logging.getLogger("palimpsest.webhooks")

_AWAY: Final = (*LOST, asyncpg.InterfaceError, EventStoreError)
_READABLE_WITHIN: Final = 5.0
_UNREAD_WAITS: Final = 300.0
"""Seconds until what belongs to damaged events is looked at again."""


class DispatchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is under way at once, in all and to one endpoint, and how often to look.

    ``pause`` and ``idle`` are the shortest and longest seconds between two looks.
    """

    at_once: int = 256
    each: int = 4
    pause: float = 0.1
    idle: float = 5.0


class Views(Protocol):
    """The views deliveries are read from, and how far they have come."""

    @property
    def position(self) -> int: ...

    async def wait_for(self, position: int, timeout: float) -> bool: ...  # noqa: ASYNC109  the bound is the point


class Dispatch:
    """Feeds ``DeliverWebhooks`` with what is due."""

    def __init__(
        self,
        deliver: DeliverWebhooks,
        database: Database,
        views: Views,
        *,
        clock: Callable[[], datetime],
        limits: DispatchLimits | None = None,
    ) -> None:
        self._deliver = deliver
        self._database = database
        self._views = views
        self._clock = clock
        self._limits = limits or DispatchLimits()
        self._under_way: dict[str, Delivery] = {}
        self._unshown: dict[str, int] = {}
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Deliver for ever; cancel to stop, at any time."""
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    seen = self._views.position
                    for delivery in await self._due():
                        self._under_way[delivery.id] = delivery
                        group.create_task(self._attempt(delivery))
                    wait = await self._until_next()
                except _AWAY as lost:
                    _LOG.warning("deliveries wait: %s", type(lost).__name__)
                    await asyncio.sleep(self._limits.idle)
                    continue
                await self._something_new(seen, wait)
                await asyncio.sleep(self._limits.pause)

    async def _due(self) -> list[Delivery]:
        self._ended.clear()
        seen = self._views.position
        self._unshown = {each: at for each, at in self._unshown.items() if at > seen}
        free = self._limits.at_once - len(self._under_way)
        if free <= 0:
            return []
        busy = Counter(each.endpoint for each in self._under_way.values())
        slots = Slots(
            free,
            self._limits.each,
            tuple(e for e, count in busy.items() if count >= self._limits.each),
        )
        async with self._database.acquire() as db:
            return await due_deliveries(
                db,
                self._clock(),
                under_way=[*self._under_way, *self._unshown],
                limits=slots,
            )

    async def _until_next(self) -> float:
        """Return seconds until the next is due, within bounds."""
        now = self._clock()
        async with self._database.acquire() as db:
            due = await next_due(db, now)
        wait = self._limits.idle if due is None else (due - now).total_seconds()
        return max(0.0, min(self._limits.idle, wait))

    async def _something_new(self, seen: int, within: float) -> None:
        """Wait for an event, an ended attempt or the bound."""
        waits = {
            asyncio.create_task(self._views.wait_for(seen + 1, within)),
            asyncio.create_task(self._ended.wait()),
        }
        try:
            await asyncio.wait(
                waits, timeout=within, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            await stop(*waits)

    async def _attempt(self, delivery: Delivery) -> None:
        """Attempt one, and keep it apart until the view knows what came of it.

        Where that takes long, as with views that a damaged event keeps, it leaves its
        place to others.
        """
        try:
            position = await self._deliver(_waiting(delivery))
            if position is None:
                await asyncio.sleep(self._limits.idle)
            elif not await self._views.wait_for(position, _READABLE_WITHIN):
                self._unshown[delivery.id] = position
        except _AWAY as lost:
            _LOG.warning("an outcome is not recorded: %s", type(lost).__name__)
            await asyncio.sleep(self._limits.idle)
        except Unreadable as damaged:  # it was sent: what came of it views wait for
            _LOG.error("an outcome cannot be read: %s", damaged)
            self._unshown[delivery.id] = damaged.position
            if damaged.position <= self._views.position:
                await asyncio.sleep(_UNREAD_WAITS)
        finally:
            self._under_way.pop(delivery.id, None)
            self._ended.set()


def _waiting(delivery: Delivery) -> Waiting:
    given = {name: getattr(delivery, name) for name in Waiting.__struct_fields__}
    return Waiting(**given)
