"""Hands events to one processor and tells what to hold, and until when."""

import asyncio
import logging
import traceback
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec

from commands.ports import EventStoreError, KeyReused
from domain.recorded import Recorded
from infra.codec.errors import Unreadable
from infra.held_keys import Hold
from infra.postgres.connection import is_lost
from infra.telemetry.observers import DeliveryObserver
from infra.telemetry.under_way import DeliveryWork, working
from infra.unread import outcome_of
from processors.language_model import BudgetExhausted, Unavailable
from processors.processor import Batch, Done, Outcome, Park, Processor, Retry

_LOG: Final = logging.getLogger(__name__)


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


class Delivery:
    """Deliveries to one processor, so many keys at a time."""

    def __init__(
        self,
        processor: Processor,
        limits: FeedLimits,
        observers: Sequence[DeliveryObserver] = (),
    ) -> None:
        self._processor = processor
        self._limits = limits
        self._observers = observers
        self._gate = asyncio.Semaphore(limits.keys_at_once)

    async def __call__(self, batch: Batch, attempts: int) -> Hold | None:
        """Hand a batch to the processor; what to hold, if it could not go on.

        Before a key is parked its events are tried one by one, so that it is parked
        at the one that cannot be handled.
        """
        async with self._gate:
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
        return _hold(batch.ordering_key, batch.events[0], attempts, outcome)

    def cannot_read(self, key: str, first: Recorded, attempts: int) -> Hold:
        """Say so, and return what to hold: the key, from that event on."""
        outcome = outcome_of(first.event, self.patience(attempts, None))
        told = (self._processor.name, first.position, outcome.reason)
        _LOG.error("%s cannot read position %d: %s", *told)
        return _hold(key, first, attempts, outcome)

    async def _outcome(self, batch: Batch, attempts: int) -> Outcome:
        name, outcome = self._processor.name, None
        with working(DeliveryWork(name, batch)):
            ends = [each.begin(name, batch) for each in self._observers]
            try:
                outcome = await self._attempt(batch, attempts)
            finally:
                for end in reversed(ends):
                    end(outcome)
        return outcome

    async def _attempt(self, batch: Batch, attempts: int) -> Outcome:
        try:
            return await self._processor(batch)
        except KeyReused as clash:
            return Park(type(clash).__name__)
        except Unreadable as damaged:
            return Park(f"It rests on what cannot be read: {damaged}")
        except BudgetExhausted as spent:
            return Retry(timedelta(seconds=spent.retry_after or 0), str(spent))
        except (Unavailable, EventStoreError) as absent:
            asked = getattr(absent, "retry_after", None)
            return Retry(self.patience(attempts, asked), type(absent).__name__)
        except Exception as bug:  # noqa: BLE001  whatever it is, it stops one key only
            return self._unforeseen(bug, attempts)

    def _unforeseen(self, bug: Exception, attempts: int) -> Outcome:
        """Try again, and park in the end; a database that is away parks nothing."""
        name = type(bug).__name__
        if not is_lost(bug):
            # The text of an error nobody foresaw may quote what somebody said.
            said = (self._processor.name, name, _place(bug))
            _LOG.error("%s: %s in %s", *said, extra={"failure": bug})
            if attempts + 1 >= self._limits.attempts:
                return Park(name)
        return Retry(self.patience(attempts, None), name)

    def patience(self, attempts: int, asked: float | None) -> timedelta:
        """Return how long a key waits that failed so often, or was asked to wait."""
        doubled: timedelta = self._limits.first_wait * 2 ** min(attempts, 16)
        wait = max(doubled, timedelta(seconds=asked or 0))
        return min(wait, self._limits.longest_wait)


def _hold(key: str, first: Recorded, attempts: int, outcome: Retry | Park) -> Hold:
    return Hold(
        key=key,
        tenant=first.tenant,
        position=first.position,
        attempts=attempts + 1,
        after=outcome.after if isinstance(outcome, Retry) else None,
        reason=outcome.reason,
    )


def _place(bug: BaseException) -> str:
    frames = traceback.extract_tb(bug.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
