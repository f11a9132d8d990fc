"""The dreams of a pair: which wait or run, when one may begin, and how it goes on."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from domain.dream import (
    SPECIALISTS,
    CancelReason,
    DreamCancelled,
    DreamCompleted,
    DreamFailed,
    DreamKind,
    DreamScheduled,
    DreamStarted,
    Specialist,
    SpecialistCompleted,
)
from domain.event import Event


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A dream that waits or runs, as it was scheduled.

    ``attempt`` is the one under way, 0 while none is; ``failures`` counts those that
    failed. ``position`` is how far the next specialist reads, ``finished`` are those
    who are done, in this attempt or a former.
    """

    scheduled: DreamScheduled
    attempt: int = 0
    failures: int = 0
    retry_at: datetime | None = None
    first: int = 0
    position: int = 0
    finished: tuple[SpecialistCompleted, ...] = ()

    @property
    def left(self) -> tuple[Specialist, ...]:
        """Who has still to work, in order."""
        done = {each.specialist for each in self.finished}
        return tuple(s for s in SPECIALISTS[self.scheduled.kind] if s not in done)


class Rested(msgspec.Struct, frozen=True):
    """When a kind of dream last ended, and how far it had read.

    ``read`` and ``ended_at`` are of the last completed one, ``given_up_at`` of one
    that was given up since.
    """

    read: int = 0
    ended_at: datetime | None = None
    given_up_at: datetime | None = None


class Dreams(msgspec.Struct, frozen=True):
    """The dreams of a pair: those that wait or run, by kind and names, and the last.

    A kind's own last dream alone says when the next may come: a card that was brought
    in line is no dream of the whole (RS 6.2).
    """

    waiting: dict[tuple[DreamKind, str, str], Job] = {}
    ended: dict[DreamKind, Rested] = {}

    def last(self, kind: DreamKind) -> Rested:
        """Return how the last dream of a kind ended."""
        return self.ended.get(kind, Rested())

    def find(self, dream: str) -> Job | None:
        """Return the job of this id, if it waits or runs."""
        jobs = self.waiting.values()
        return next((each for each in jobs if each.scheduled.id == dream), None)


class Rest(msgspec.Struct, frozen=True):
    """How long a pair is left alone: after new conclusions, and between dreams."""

    idle: timedelta = timedelta(minutes=60)
    between: timedelta = timedelta(hours=8)


def deadline(last: Rested, newest: datetime, rest: Rest) -> datetime:
    """Return before when no dream begins by itself (RS 6.1, 13.1 W5).

    ``newest`` is when something was last concluded.
    """
    ended = [each for each in (last.ended_at, last.given_up_at) if each is not None]
    return max([newest + rest.idle, *(each + rest.between for each in ended)])


def evolve_dreams(state: Dreams, event: Event) -> Dreams:
    """Fold one event into the state; events of other aggregates change nothing."""
    match event:
        case DreamScheduled():
            waiting = {**state.waiting, _key(event): Job(scheduled=event)}
            return msgspec.structs.replace(state, waiting=waiting)
        case DreamStarted() | SpecialistCompleted() | DreamFailed():
            return _gone_on(state, event)
        case DreamCompleted():
            return _completed(_without(state, event.id), event)
        case DreamCancelled():
            return _without(state, event.id)
        case _:
            return state


def _gone_on(
    state: Dreams, event: DreamStarted | SpecialistCompleted | DreamFailed
) -> Dreams:
    job = state.find(event.id)
    if job is None:
        return state
    changed: dict[str, Any]
    match event:
        case DreamFailed(retry_at=None):
            last = state.last(event.kind)
            last = msgspec.structs.replace(last, given_up_at=event.failed_at)
            return _ended(_without(state, event.id), event.kind, last)
        case DreamFailed():
            changed = {"attempt": 0, "failures": event.attempt}
            changed |= {"retry_at": event.retry_at}
        case DreamStarted():
            changed = {"attempt": event.attempt, "position": event.position}
            changed |= {"first": job.first or event.position}
        case SpecialistCompleted():
            finished = (*job.finished, event)
            changed = {"position": event.through, "finished": finished}
    job = msgspec.structs.replace(job, **changed)
    waiting = {**state.waiting, _key(job.scheduled): job}
    return msgspec.structs.replace(state, waiting=waiting)


def _completed(state: Dreams, event: DreamCompleted) -> Dreams:
    if event.completed_at is None:
        return state
    read = max(state.last(event.kind).read, event.position)
    return _ended(state, event.kind, Rested(read, event.completed_at))


def _ended(state: Dreams, kind: DreamKind, last: Rested) -> Dreams:
    return msgspec.structs.replace(state, ended={**state.ended, kind: last})


def _without(state: Dreams, dream: str) -> Dreams:
    rest = {key: job for key, job in state.waiting.items() if job.scheduled.id != dream}
    return msgspec.structs.replace(state, waiting=rest)


def schedule_dream(
    state: Dreams, event: DreamScheduled
) -> list[DreamScheduled | DreamCancelled]:
    """Schedule it unless an equal one waits or runs (HC E07).

    One that is asked for comes in the place of one that only waits for its time.
    """
    job = state.waiting.get(_key(event))
    if job is None:
        return [event]
    waits = job.attempt == 0 and (job.scheduled.due_at or job.retry_at) is not None
    if event.trigger != "asked" or not waits:
        return []
    return [_cancelled(job.scheduled, "asked-for-now"), event]


def cancel_dream(
    state: Dreams, dream: str, reason: CancelReason
) -> list[DreamCancelled]:
    """Cancel a dream that has not begun."""
    job = state.find(dream)
    if job is None or job.attempt or job.finished:
        return []
    return [_cancelled(job.scheduled, reason)]


def start_dream(state: Dreams, event: DreamStarted) -> list[DreamStarted]:
    """Begin the next attempt; one that is under way is gone on with."""
    job = state.find(event.id)
    if job is None or job.attempt:
        return []
    return [msgspec.structs.replace(event, attempt=job.failures + 1)]


def complete_specialist(
    state: Dreams, event: SpecialistCompleted
) -> list[SpecialistCompleted]:
    """Record that a specialist of the attempt under way is done, once."""
    job = state.find(event.id)
    if job is None or job.attempt != event.attempt or event.specialist not in job.left:
        return []
    return [event]


def complete_dream(state: Dreams, event: DreamCompleted) -> list[DreamCompleted]:
    """End a dream that waits or runs; one that ended before stays as it ended."""
    return [] if state.find(event.id) is None else [event]


def fail_dream(state: Dreams, event: DreamFailed) -> list[DreamFailed]:
    """Record that the attempt under way failed."""
    job = state.find(event.id)
    if job is None or job.attempt != event.attempt:
        return []
    done = tuple(each.specialist for each in job.finished)
    return [msgspec.structs.replace(event, done=done)]


def _cancelled(scheduled: DreamScheduled, reason: CancelReason) -> DreamCancelled:
    return DreamCancelled(
        workspace=scheduled.workspace,
        id=scheduled.id,
        observer=scheduled.observer,
        observed=scheduled.observed,
        kind=scheduled.kind,
        reason=reason,
    )


def _key(event: DreamScheduled) -> tuple[DreamKind, str, str]:
    return event.kind, event.observer, event.observed
