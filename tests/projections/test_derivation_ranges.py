"""Given attempts that came to nothing, what they were of is told as it stands."""

from datetime import UTC, datetime

import pytest

from domain.derivation import (
    DerivationCompleted,
    DerivationFailed,
    DerivationRedriven,
    DerivationRequested,
)
from domain.event import Engine
from projections.derivation_ranges import DerivationRanges, list_stuck
from tests.support.folding import create, fold
from tests.support.history import record

ENGINE = Engine(name="openai", version="1")
DUE = datetime(2026, 3, 1, tzinfo=UTC)
AT = {"workspace": "w", "session": "s"}


def failed(first, last, attempt, *, parked=False, again=False):
    return DerivationFailed(
        **AT,
        first_seq=first,
        last_seq=last,
        attempt=attempt,
        error="malformed",
        engine=ENGINE,
        retry_at=None if parked else DUE,
        parked=parked,
        again=again,
    )


def completed(first, last, reason=None, *, again=False):
    return DerivationCompleted(
        **AT,
        first_seq=first,
        last_seq=last,
        handled={"alice": 1},
        conclusions=(),
        engine=ENGINE,
        reason=reason,
        attempt=3,
        again=again,
    )


NONE = "no-usable-answer"
REDRIVEN = DerivationRedriven(**AT, first_seq=1, last_seq=4, handled={"alice": 1})
ASKED = DerivationRequested(**AT, first_seq=1, through_seq=9, reason="redrive")

STORIES = {
    "what is derived at once is never there": ([completed(1, 2)], []),
    "what fails is, as it failed last": (
        [failed(1, 2, 1), failed(1, 4, 2)],
        [("failing", 1, 4, 2)],
    ),
    "and no more when it is derived": ([failed(1, 2, 1), completed(1, 3)], []),
    "what nobody tries is parked": (
        [failed(1, 2, 5, parked=True)],
        [("parked", 1, 2, 5)],
    ),
    "until it is redriven": (
        [failed(1, 2, 5, parked=True), ASKED],
        [("failing", 1, 2, 5)],
    ),
    "what is passed over stays, beside what fails later": (
        [failed(1, 4, 2), completed(1, 4, NONE), failed(5, 6, 1)],
        [("passed-over", 1, 4, 3), ("failing", 5, 6, 1)],
    ),
    "until it is redriven, and done": (
        [completed(1, 4, NONE), REDRIVEN, completed(1, 4, again=True)],
        [],
    ),
    "or fails once more": (
        [completed(1, 4, NONE), REDRIVEN, failed(1, 4, 1, again=True)],
        [("failing", 1, 4, 1)],
    ),
}


@pytest.mark.parametrize("told", STORIES)
async def test_ranges(db, told):
    events, stuck = STORIES[told]
    await create(db, [DerivationRanges()])
    recorded = record(events)
    await fold(db, [DerivationRanges()], recorded)
    await fold(db, [DerivationRanges()], recorded)
    found = sorted(await list_stuck(db, "w", None, 10), key=lambda e: e.first_seq)
    assert [(e.state, e.first_seq, e.last_seq, e.attempt) for e in found] == stuck
    assert len(await list_stuck(db, None, "s", 10)) == len(stuck)
    assert await list_stuck(db, "w", "t", 10) == []


async def test_what_is_stuck_says_since_when_and_when_it_is_tried(db):
    await create(db, [DerivationRanges()])
    first, second = record([failed(1, 2, 1), failed(1, 2, 2)])
    await fold(db, [DerivationRanges()], [first, second])
    [now] = await list_stuck(db, "w", "s", 10)
    told = (now.error, now.since, now.retry_at)
    assert told == ("malformed", first.recorded_at, DUE)
