"""A message is reasoned about once, however often it comes."""

from domain.derivation import (
    Considered,
    Derivation,
    DerivationCompleted,
    complete,
    evolve_derivation,
)
from domain.event import Engine

ENGINE = Engine(name="offline", version="1")


def _complete(state, *messages, conclusions=()):
    return complete(state, ("w", "s"), messages, conclusions, ENGINE, "d")


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
