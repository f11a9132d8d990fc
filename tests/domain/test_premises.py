"""A fact rests on what was there, or is not recorded."""

from datetime import UTC, datetime

import pytest

from domain.conclusion import (
    ConclusionDerived,
    ConclusionRetracted,
    Conclusions,
    Evidence,
    Found,
    evolve_conclusions,
)
from domain.derivation import Considered, Refused
from domain.event import Engine
from domain.premises import Premises, check_premises, holding

AT = datetime(2026, 1, 1, tzinfo=UTC)
ALICES = Evidence("m1", "s", 1)
GIVEN = Premises(
    "s",
    (
        Considered(1, "alice", True, "m1"),
        Considered(2, "bob", True, "m2"),
        Considered(3, "alice", False, "m3"),
    ),
    {"c1"},
)


def _found(*evidence, sources=()):
    return Found(
        id="f",
        observed="alice",
        content="alice skis",
        occurred_at=AT,
        evidence=evidence,
        sources=sources,
    )


def test_what_was_there_is_kept_as_it_is():
    fact = _found(ALICES, sources=("c1",))
    assert check_premises([fact], GIVEN) == ([fact], Refused())


@pytest.mark.parametrize(
    "invented",
    [
        Evidence("made-up", "s", 1),
        Evidence("m1", "s", 9),
        Evidence("m1", "another", 1),
        Evidence("m2", "s", 2),
        Evidence("m3", "s", 3),
    ],
    ids=["id", "number", "session", "another's", "not-asked-for"],
)
def test_an_invented_message_is_refused_and_counted(invented):
    assert check_premises([_found(invented)], GIVEN) == ([], Refused(1, 1))
    [kept], refused = check_premises([_found(invented, ALICES)], GIVEN)
    assert (kept.evidence, refused) == ((ALICES,), Refused(0, 1))


def test_a_fact_on_nothing_is_refused():
    assert check_premises([_found()], GIVEN) == ([], Refused(1, 0))


def test_a_source_has_to_hold():
    [kept], refused = check_premises([_found(sources=("c1", "c2"))], GIVEN)
    assert (kept.sources, refused) == (("c1",), Refused(0, 1))
    assert check_premises([_found(sources=("c2",))], GIVEN) == ([], Refused(1, 1))


def test_what_is_retracted_no_longer_holds():
    derived = ConclusionDerived(
        workspace="w",
        session="s",
        id="c1",
        observed="alice",
        content="alice skis",
        content_key="alice skis",
        occurred_at=AT,
        engine=Engine(name="offline", version="1"),
    )
    state = evolve_conclusions(Conclusions(), derived)
    assert holding(state) == {"c1"}
    gone = ConclusionRetracted(
        workspace="w", session="s", id="c1", reason="r", actor="client"
    )
    assert holding(evolve_conclusions(state, gone)) == frozenset()
