"""A message is reasoned about once, however often it comes."""

from functools import reduce

import pytest

from domain.derivation import (
    Considered,
    Derivation,
    DerivationCompleted,
    DerivationFailed,
    Refused,
    evolve_derivation,
)
from domain.deriving import (
    Result,
    complete,
    complete_again,
    fail,
    redrive,
    request,
)
from domain.event import Engine

ENGINE = Engine(name="offline", version="1")


def _complete(state, *messages, conclusions=()):
    result = Result(conclusions=conclusions, engine=ENGINE, derivation="d")
    return complete(state, ("w", "s"), messages, result)


def test_messages_handled_before_do_not_count_again():
    first, *_ = _complete(
        Derivation(through_seq=2),
        Considered(2, "alice", True),
        Considered(3, "alice", True),
        Considered(4, "bob", True),
        conclusions=("c",),
    )
    assert (first.first_seq, first.last_seq) == (3, 4)
    assert first.handled == {"alice": 1, "bob": 1}
    assert first.reason is None


def test_nothing_new_is_no_event():
    assert _complete(Derivation(through_seq=4), Considered(4, "alice", True)) == []


def test_an_empty_result_says_why():
    [asked] = _complete(Derivation(), Considered(1, "alice", True))
    [not_asked] = _complete(Derivation(), Considered(1, "alice", False))
    assert asked.reason == "nothing-to-extract"
    assert not_asked.reason == "not-observed"
    assert not_asked.handled == {}


def test_completion_moves_the_state_on():
    state = Derivation()
    for event in _complete(state, Considered(1, "a", True), Considered(2, "b", True)):
        assert isinstance(event, DerivationCompleted)
        state = evolve_derivation(state, event)
    assert state.through_seq == 2


def test_the_attempts_that_failed_count_with_the_one_that_did_not():
    failed = DerivationFailed(
        workspace="w",
        session="s",
        first_seq=1,
        last_seq=1,
        attempt=2,
        error="malformed",
        engine=ENGINE,
    )
    [event] = _complete(
        evolve_derivation(Derivation(), failed), Considered(1, "a", True)
    )
    assert event.attempt == 3


def test_what_was_made_up_is_counted_in_the_record():
    result = Result(
        conclusions=(), engine=ENGINE, derivation="d", refused=Refused(2, 3)
    )
    [event] = complete(Derivation(), ("w", "s"), [Considered(1, "a", True)], result)
    assert (event.refused, event.invented) == (2, 3)


def _failed(*numbers, error="malformed", again=False):
    first, last = numbers
    return DerivationFailed(
        workspace="w",
        session="s",
        first_seq=first,
        last_seq=last,
        attempt=1,
        error=error,
        engine=ENGINE,
        again=again,
    )


def _asked(state, last_seq, reason="flush"):
    return request(state, ("w", "s"), last_seq, reason)


def _after(state, *events):
    return reduce(evolve_derivation, events, state)


def _passed_over(*messages):
    result = Result(conclusions=(), engine=ENGINE, derivation="d", unanswered=True)
    return _after(Derivation(), *complete(Derivation(), ("w", "s"), messages, result))


def test_only_what_an_engine_answered_counts_as_of_no_use():
    state = Derivation()
    for error in ("unavailable", "malformed", "budget-exhausted", "refused: x"):
        state = _after(state, *fail(state, _failed(1, 2, error=error)))
    assert (state.failures, state.unusable) == (4, 2)


def test_what_was_handled_meanwhile_did_not_fail():
    assert fail(Derivation(through_seq=2), _failed(1, 2)) == []


@pytest.mark.parametrize(
    ("state", "through", "recorded"),
    [
        (Derivation(), 3, True),
        (Derivation(asked_seq=3), 3, False),
        (Derivation(asked_seq=3), 4, True),
        (Derivation(through_seq=3), 3, False),
    ],
)
def test_what_waits_is_asked_for_once(state, through, recorded):
    asked = _asked(state, through)
    assert bool(asked) is recorded
    assert [each.first_seq for each in asked] == [state.through_seq + 1] * recorded


def test_what_failed_begins_anew_when_it_is_redriven_and_nothing_else_does():
    state = Derivation(failures=7, unusable=2, asked_seq=9)
    [event] = _asked(state, 4, "redrive")
    state = _after(state, event)
    assert (state.failures, state.forgiven, state.unusable) == (7, 7, 0)
    assert _asked(state, 4, "redrive") == []
    assert _asked(Derivation(), 4, "redrive") == []


def test_what_was_passed_over_is_derived_again_once_and_counts_as_it_did():
    messages = (Considered(1, "a", True), Considered(2, "b", True))
    state = _passed_over(*messages)
    assert redrive(Derivation(), ("w", "s")) == []
    [event] = redrive(state, ("w", "s"))
    assert (event.first_seq, event.last_seq) == (1, 2)
    state = _after(state, event)
    assert redrive(state, ("w", "s")) == []

    result = Result(conclusions=("c",), engine=ENGINE, derivation="d")
    [done] = complete_again(state, ("w", "s"), messages, result)
    assert (done.again, done.handled, done.attempt) == (True, {"a": 1, "b": 1}, 1)
    state = _after(state, done)
    assert state.through_seq == 2
    assert complete_again(state, ("w", "s"), messages, result) == []


def test_attempts_on_a_redriven_range_are_its_own():
    state = _passed_over(Considered(1, "a", True))
    state = _after(state, *redrive(state, ("w", "s")))
    for attempt in (1, 2):
        [event] = fail(state, _failed(1, 1, again=True))
        assert event.attempt == attempt
        state = _after(state, event)
    assert state.failures == 0
    assert state.redriven_range((1, 1)).unusable == 2
    assert fail(state, _failed(1, 2, again=True)) == []


def test_what_is_passed_over_once_more_can_be_redriven_once_more():
    messages = (Considered(1, "a", True),)
    state = _passed_over(*messages)
    state = _after(state, *redrive(state, ("w", "s")))
    result = Result(conclusions=(), engine=ENGINE, derivation="d", unanswered=True)
    state = _after(state, *complete_again(state, ("w", "s"), messages, result))
    assert [each.numbers for each in state.passed_over] == [(1, 1)]
    assert state.redriven == ()
