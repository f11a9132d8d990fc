"""A dream of a kind waits or runs once for a pair."""

from datetime import UTC, datetime, timedelta

import msgspec

from domain.dream import (
    DreamCompleted,
    DreamFailed,
    DreamScheduled,
    DreamStarted,
    SpecialistCompleted,
)
from domain.dreaming import (
    Dreams,
    Rest,
    Rested,
    cancel_dream,
    complete_dream,
    complete_specialist,
    deadline,
    evolve_dreams,
    fail_dream,
    schedule_dream,
    start_dream,
)
from domain.event import Engine

ASKED = DreamScheduled(
    workspace="w",
    id="1",
    observer="alice",
    observed="bob",
    kind="omni",
    scheduled_at=datetime(2026, 11, 22, tzinfo=UTC),
)
ENDED = DreamCompleted(
    workspace="w",
    id="1",
    observer="alice",
    observed="bob",
    kind="omni",
    engine=Engine(name="offline", version="1"),
)


def given(*events):
    state = Dreams()
    for event in events:
        state = evolve_dreams(state, event)
    return state


def but(event, **fields):
    return msgspec.structs.replace(event, **fields)


def test_the_first_is_scheduled():
    assert schedule_dream(given(), ASKED) == [ASKED]


def test_an_equal_one_is_not_while_it_waits():
    assert schedule_dream(given(ASKED), but(ASKED, id="2")) == []
    assert schedule_dream(given(ASKED), but(ASKED, id="2", rebuild=True)) == []


def test_another_kind_or_pair_is():
    for other in (
        but(ASKED, id="2", kind="card_refresh"),
        but(ASKED, id="2", observer="alice+bob", observed="b"),
    ):
        assert schedule_dream(given(ASKED), other) == [other]


def test_what_ended_may_be_scheduled_again():
    again = but(ASKED, id="2")
    assert schedule_dream(given(ASKED, ENDED), again) == [again]


def test_a_dream_ends_once():
    assert complete_dream(given(ASKED), ENDED) == [ENDED]
    assert complete_dream(given(ASKED, ENDED), ENDED) == []
    assert complete_dream(given(), ENDED) == []


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WAITING = but(ASKED, trigger="threshold", due_at=NOON)
STARTED = DreamStarted(
    workspace="w",
    id="1",
    observer="alice",
    observed="bob",
    kind="omni",
    attempt=1,
    position=7,
    started_at=NOON,
)
DEDUCED = SpecialistCompleted(
    workspace="w",
    id="1",
    observer="alice",
    observed="bob",
    attempt=1,
    specialist="deduction",
    position=7,
    through=9,
    engine=ENDED.engine,
)
FAILED = DreamFailed(
    workspace="w",
    id="1",
    observer="alice",
    observed="bob",
    kind="omni",
    attempt=1,
    specialist="induction",
    error="refused",
    failed_at=NOON,
    retry_at=NOON,
)
DREAMT = but(ENDED, position=7, completed_at=NOON)


def test_what_only_waits_for_its_time_makes_way_for_what_is_asked_for():
    asked = but(ASKED, id="2")
    cancelled, scheduled = schedule_dream(given(WAITING), asked)
    assert (cancelled.id, cancelled.reason) == ("1", "asked-for-now")
    assert scheduled == asked
    state = given(WAITING, cancelled, scheduled)
    assert state.find("1") is None
    assert schedule_dream(given(WAITING), but(WAITING, id="2")) == []
    assert schedule_dream(given(WAITING, STARTED), asked) == []


def test_an_attempt_that_is_under_way_is_gone_on_with():
    assert start_dream(given(WAITING), but(STARTED, attempt=9)) == [STARTED]
    assert start_dream(given(WAITING, STARTED), STARTED) == []


def test_specialists_work_once_each_and_the_next_reads_further():
    state = given(ASKED, STARTED)
    assert state.find("1").left == ("deduction", "induction")
    assert complete_specialist(state, DEDUCED) == [DEDUCED]
    state = given(ASKED, STARTED, DEDUCED)
    assert complete_specialist(state, DEDUCED) == []
    assert state.find("1").left == ("induction",)
    assert (state.find("1").first, state.find("1").position) == (7, 9)


def test_a_failed_attempt_keeps_what_was_done_and_does_not_count_as_dreamt():
    [failed] = fail_dream(given(ASKED, STARTED, DEDUCED), FAILED)
    assert failed.done == ("deduction",)
    state = given(ASKED, STARTED, DEDUCED, failed)
    job = state.find("1")
    assert (job.attempt, job.failures, job.left) == (0, 1, ("induction",))
    assert state.last("omni") == Rested()
    [again] = start_dream(state, but(STARTED, position=12))
    assert (again.attempt, again.position) == (2, 12)
    assert given(ASKED, STARTED, DEDUCED, failed, again).find("1").first == 7


def test_given_up_it_may_be_asked_for_again_and_rests_before_it_comes_by_itself():
    state = given(ASKED, STARTED, but(FAILED, retry_at=None))
    assert state.find("1") is None
    assert schedule_dream(state, but(ASKED, id="2")) == [but(ASKED, id="2")]
    assert deadline(state.last("omni"), NOON, Rest()) == NOON + timedelta(hours=8)


def test_the_deadline_is_the_later_of_rest_and_silence():
    state = given(ASKED, STARTED, DREAMT)
    last = state.last("omni")
    assert last == Rested(7, NOON)
    late = NOON + timedelta(hours=7, minutes=30)
    assert deadline(Rested(), NOON, Rest()) == NOON + timedelta(hours=1)
    assert deadline(last, NOON, Rest()) == NOON + timedelta(hours=8)
    assert deadline(last, late, Rest()) == late + timedelta(hours=1)


def test_neither_a_card_alone_nor_an_engine_that_does_not_dream_counts():
    state = given(but(ASKED, kind="card_refresh"), but(DREAMT, kind="card_refresh"))
    assert state.last("omni") == Rested()
    assert state.last("card_refresh") == Rested(7, NOON)
    assert given(ASKED, ENDED).last("omni") == Rested()


def test_only_what_has_not_begun_is_cancelled():
    [cancelled] = cancel_dream(given(WAITING), "1", "disabled")
    assert given(WAITING, cancelled).waiting == {}
    for state in (given(), given(WAITING, STARTED), given(WAITING, cancelled)):
        assert cancel_dream(state, "1", "disabled") == []
