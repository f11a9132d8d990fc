"""Has a dream: one specialist after the other, each recorded as it is done (RS 6)."""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, cast

import msgspec

from commands.decide import Decide
from commands.dream import Advance, AdvanceDream, advance_dream, watch_dreams
from commands.living import Source, is_living
from commands.ports import Clock, Overloaded
from domain.dream import (
    CancelReason,
    DreamCancelled,
    DreamCompleted,
    DreamFailed,
    DreamScheduled,
    DreamStarted,
    Specialist,
    SpecialistCompleted,
)
from domain.dreaming import Job, deadline
from domain.event import Engine
from domain.recorded import Recorded
from processors.dream_news import DreamNews, Pair
from processors.dream_run import Tally, Task
from processors.following import cause_of
from processors.language_model import BudgetExhausted, ModelRefused
from processors.schedule_dreams import DreamRules, is_enabled
from processors.specialists import SpecialistFailed, Stopped

_LOG: Final = logging.getLogger(__name__)

_FIRST_WAIT: Final = timedelta(minutes=1)
_LONGEST_WAIT: Final = timedelta(hours=1)
_BUDGET_WAIT: Final = timedelta(minutes=10)
_SOON: Final = timedelta(seconds=1)


class Work(Protocol):
    """Carries out the task of a specialist."""

    def engine(self, specialist: Specialist) -> Engine: ...

    async def __call__(self, task: Task) -> SpecialistCompleted:
        """Work until it is done.

        Raises:
            SpecialistFailed
        """
        ...


class Dream:
    """Has the dreams that are due, one call for each.

    Whatever was done is in the log as it is done: a process that is killed goes on in
    the same attempt with the specialist that was at work, whose commands and model
    calls have the names they had. What came by itself is looked at once more before
    it begins; a failure is recorded, waited after, and tried again by who had failed.
    """

    name = "dream"

    def __init__(
        self,
        decide: Decide,
        news: DreamNews,
        work: Work,
        rules: DreamRules,
        clock: Clock,
        *,
        attempts: int = 5,
    ) -> None:
        self._decide = decide
        self._news = news
        self._work = work
        self._rules = rules
        self._clock = clock
        self._attempts = attempts

    async def __call__(self, recorded: Recorded) -> datetime | None:
        """Have the dream that was scheduled there; when to come again, if it waits.

        Raises:
            Unavailable, EventStoreError: it may succeed later.
        """
        dream = cast("DreamScheduled", recorded.event)
        pair = (dream.workspace, dream.observer, dream.observed)
        source = Source(dream.workspace, None, recorded.position)
        job = await self._job(pair, dream.id)
        if job is None:
            return None
        if not job.attempt:
            if (later := await self._not_yet(pair, job, recorded)) is not None:
                return later
            started = DreamStarted(
                workspace=dream.workspace,
                id=dream.id,
                observer=dream.observer,
                observed=dream.observed,
                kind=dream.kind,
                attempt=0,
                position=await self._news.head(),
                started_at=self._clock(),
            )
            await self._record(recorded, started)
            job = await self._job(pair, dream.id)
        while job is not None and job.left:
            if not await is_living(self._decide, source):
                # It goes with its workspace: no model is asked for what is erased.
                return self._clock() + _FIRST_WAIT
            try:
                await self._next(job, recorded)
            except SpecialistFailed as failed:
                return await self._failed(job, recorded, failed.failure, failed.tally)
            job = await self._job(pair, dream.id)
        if job is not None:
            await self._record(recorded, self._completed(job))
        return None

    async def stumbled(self, recorded: Recorded, error: str) -> datetime | None:
        """Record that an attempt ended in an error nobody foresaw, named by a word."""
        dream = cast("DreamScheduled", recorded.event)
        pair = (dream.workspace, dream.observer, dream.observed)
        job = await self._job(pair, dream.id)
        if job is None or not job.attempt or not job.left:
            return None if job is None else self._clock() + _FIRST_WAIT
        return await self._fail(job, recorded, error, Tally())

    async def _job(self, pair: Pair, dream: str) -> Job | None:
        return (await self._decide.look_anew(watch_dreams(*pair))).find(dream)

    async def _record(self, recorded: Recorded, event: Advance) -> None:
        command = AdvanceDream(
            position=recorded.position,
            event=event,
            cause=cause_of(self.name, recorded),
        )
        await advance_dream(self._decide, command)

    async def _not_yet(
        self, pair: Pair, job: Job, recorded: Recorded
    ) -> datetime | None:
        """Return until when it waits; None: begin.

        Once it is cancelled that is until the views tell so.
        """
        now = self._clock()
        if job.retry_at is not None:
            return job.retry_at if now < job.retry_at else None
        if job.scheduled.trigger == "asked":
            return None
        kind = job.scheduled.kind
        last = (await self._decide.look_anew(watch_dreams(*pair))).last(kind)
        news = await self._news.since(pair, last.read)
        few = news.count < self._rules.threshold
        reason: CancelReason | None = None
        if job.scheduled.trigger == "threshold" and few:
            reason = "dreamt-meanwhile"
        elif kind not in self._rules.kinds or not await is_enabled(
            self._decide, pair[0], news, self._rules
        ):
            reason = "disabled"
        if reason is not None:
            await self._record(recorded, _cancelled(job.scheduled, reason))
            return now + _FIRST_WAIT
        newest = news.newest or job.scheduled.scheduled_at
        begins = deadline(last, newest, self._rules.rest)
        due = job.scheduled.due_at
        begins = begins if due is None else max(begins, due)
        return begins if now < begins else None

    async def _next(self, job: Job, recorded: Recorded) -> None:
        """Have the next specialist work, and record that it has."""
        task = Task(
            dream=job.scheduled,
            specialist=job.left[0],
            attempt=job.attempt,
            position=job.position,
            scheduled_at=recorded.position,
            cause=cause_of(self.name, recorded),
        )
        done = await self._work(task)
        through = max(job.position, await self._news.head())
        await self._record(recorded, _through(done, through))

    async def _failed(
        self, job: Job, recorded: Recorded, failure: Stopped, tally: Tally
    ) -> datetime | None:
        """Record what stopped a specialist, unless there is only no money, or room."""
        asked = getattr(failure, "retry_after", None)
        wait = timedelta(seconds=asked or 0)
        if isinstance(failure, BudgetExhausted):
            return self._clock() + max(wait, _BUDGET_WAIT)
        if isinstance(failure, Overloaded):
            return self._clock() + max(wait, _SOON)
        error = type(failure).__name__.lower()
        if isinstance(failure, ModelRefused):
            error = f"refused: {failure.reason}"
        return await self._fail(job, recorded, error, tally)

    async def _fail(
        self, job: Job, recorded: Recorded, error: str, tally: Tally
    ) -> datetime | None:
        now = self._clock()
        wait = min(_FIRST_WAIT * 2 ** min(job.attempt - 1, 16), _LONGEST_WAIT)
        retry_at = None if job.attempt >= self._attempts else now + wait
        scheduled = job.scheduled
        failed = DreamFailed(
            workspace=scheduled.workspace,
            id=scheduled.id,
            observer=scheduled.observer,
            observed=scheduled.observed,
            kind=scheduled.kind,
            attempt=job.attempt,
            specialist=job.left[0],
            error=error,
            failed_at=now,
            retry_at=retry_at,
            created=dict(tally.created),
            deleted=dict(tally.deleted),
            card_changes=tally.card_changes,
        )
        _LOG.warning("dream: %s failed: %s", failed.specialist, error)
        await self._record(recorded, failed)
        return retry_at

    def _completed(self, job: Job) -> DreamCompleted:
        scheduled, finished = job.scheduled, job.finished
        created = _added([each.created for each in finished])
        deleted = _added([each.deleted for each in finished])
        lines = sum(each.card_changes for each in finished)
        changes = sum(created.values()) + sum(deleted.values()) + lines
        return DreamCompleted(
            workspace=scheduled.workspace,
            id=scheduled.id,
            observer=scheduled.observer,
            observed=scheduled.observed,
            kind=scheduled.kind,
            engine=finished[-1].engine,
            changes=changes,
            reason=None if changes else "nothing-to-conclude",
            attempt=job.attempt,
            position=job.first,
            completed_at=self._clock(),
            created=created,
            deleted=deleted,
            card_changes=lines,
            tool_calls=_added([each.tool_calls for each in finished]),
        )


def _added(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _through(done: SpecialistCompleted, through: int) -> SpecialistCompleted:
    return msgspec.structs.replace(done, through=through)


def _cancelled(scheduled: DreamScheduled, reason: CancelReason) -> DreamCancelled:
    return DreamCancelled(
        workspace=scheduled.workspace,
        id=scheduled.id,
        observer=scheduled.observer,
        observed=scheduled.observed,
        kind=scheduled.kind,
        reason=reason,
    )
