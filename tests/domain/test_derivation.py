"""A message is reasoned about once, however often it comes."""

from domain.derivation import (
    Considered,
    Derivation,
    DerivationCompleted,
    DerivationFailed,
    Refused,
    Result,
    complete,
    evolve_derivation,
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
