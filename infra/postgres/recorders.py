"""The recorder interfaces of ``eventsourcing``, on the log and on asyncpg.

They are synchronous by contract: every call runs on a loop thread the recorder was
given. Passes the library's published conformance cases.
"""

from collections.abc import Coroutine, Sequence
from threading import Event, Thread
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    DatabaseError,
    IntegrityError,
    ListenNotifySubscription,
    Notification,
    OperationalError,
    ProcessRecorder,
    ProgrammingError,
    StoredEvent,
    Subscription,
    Tracking,
    TrackingRecorder,
)

from infra.postgres.connection import FAILED, is_lost
from infra.postgres.library_log import LibraryLog
from infra.postgres.loop_thread import LoopThread

T = TypeVar("T")

POLL: Final = 0.2
"""Seconds after which a subscription looks again if nothing woke it."""


class _OnLog:
    """Runs calls on the loop thread and tells failures in the library's words."""

    def __init__(self, log: LibraryLog, loop: LoopThread) -> None:
        self._log = log
        self._loop = loop

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._loop.run(work)
        except asyncpg.UniqueViolationError as error:
            raise IntegrityError(error) from error
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError) as error:
            raise ProgrammingError(error) from error
        except FAILED as error:
            kind = OperationalError if is_lost(error) else DatabaseError
            raise kind(error) from error


class AsyncpgAggregateRecorder(_OnLog, AggregateRecorder):
    """Records and selects the events of aggregates."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        self._run(self._log.insert(stored_events, kwargs.get("tracking")))
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        return self._run(
            self._log.select(originator_id, gt, lte, desc=desc, limit=limit)
        )


class AsyncpgApplicationRecorder(AsyncpgAggregateRecorder, ApplicationRecorder):
    """Also numbers them: a notification id is a position of the log."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        positions = self._run(self._log.insert(stored_events, kwargs.get("tracking")))
        return positions or None

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        first = (start or 0) + (0 if inclusive_of_start else 1)
        return self._run(self._log.notifications(first, stop, topics, limit))

    def max_notification_id(self) -> int | None:
        return self._run(self._log.head())

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        return PollingSubscription(recorder=self, gt=gt, topics=topics)


class AsyncpgTrackingRecorder(_OnLog, TrackingRecorder):
    """Remembers how far another application was processed."""

    def insert_tracking(self, tracking: Tracking) -> None:
        self._run(self._log.insert([], tracking))

    def max_tracking_id(self, application_name: str) -> int | None:
        return self._run(self._log.tracked(application_name))


class AsyncpgProcessRecorder(
    AsyncpgTrackingRecorder, AsyncpgApplicationRecorder, ProcessRecorder
):
    """Both in one transaction."""


class PollingSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """Looks every ``POLL`` seconds; what must be faster uses our own subscription."""

    def __init__(
        self,
        recorder: ApplicationRecorder,
        gt: int | None = None,
        topics: Sequence[str] = (),
    ) -> None:
        self._stopped = Event()
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        Thread(target=self._look, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        super().stop()

    def _look(self) -> None:
        while not self._stopped.wait(POLL):
            self._has_been_notified.set()
