"""Summaries of one kind form a chain without gaps."""

from datetime import UTC, datetime

from domain.event import Engine
from domain.summary import (
    Summary,
    SummaryOmitted,
    SummaryProduced,
    evolve_summary,
    omit,
    produce,
)


def _event(first, last, parent=None):
    return SummaryProduced(
        workspace="w",
        session="s",
        id=f"id-{last}",
        kind="short",
        from_seq=first,
        to_seq=last,
        message="m",
        content="text",
        tokens=1,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        engine=Engine(name="offline", version="1"),
        parent=parent,
    )


def test_a_summary_continues_the_chain():
    state = evolve_summary(Summary(), *produce(Summary(), _event(1, 20)))
    assert produce(state, _event(21, 40, "id-20")) == [_event(21, 40, "id-20")]


def test_what_is_covered_is_not_covered_again_and_no_gap_opens():
    state = evolve_summary(Summary(), _event(1, 20))
    assert produce(state, _event(1, 20)) == []
    assert produce(state, _event(22, 40, "id-20")) == []
    assert produce(state, _event(21, 40, "other")) == []
    assert produce(state, _event(21, 20, "id-20")) == []


def test_what_was_not_worth_summing_up_is_the_next_ones_or_passed_by():
    omitted = SummaryOmitted(
        workspace="w",
        session="s",
        kind="short",
        from_seq=1,
        to_seq=20,
        engine=Engine(name="offline", version="1"),
    )
    state = evolve_summary(Summary(), *omit(Summary(), omitted))
    assert (state.to_seq, state.answered) == (0, 20)
    assert omit(state, omitted) == []
    for first in (1, 21):
        assert produce(state, _event(first, 40)) == [_event(first, 40)]
    assert produce(state, _event(2, 40)) == []
