"""A dream of a kind waits or runs once for a pair."""

from datetime import UTC, datetime

import msgspec

from domain.dream import (
    DreamCompleted,
    Dreams,
    DreamScheduled,
    complete_dream,
    evolve_dreams,
    schedule_dream,
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
