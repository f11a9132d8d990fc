"""The laws the fault tests hold a fleet to do fail where one of them is broken."""

from datetime import UTC, datetime

import pytest

from domain.conclusion import ConclusionDerived, Evidence
from domain.event import Engine
from domain.session import MessageAdded
from domain.summary import SummaryProduced
from tests.support.fleet_law import assert_said_and_derived
from tests.support.talk import Talk, author_of, conclusion_of, sentence_of

NOW = datetime(2026, 11, 28, tzinfo=UTC)
OFFLINE = Engine(name="offline", version="1")


def message(number, seq, summaries=()):
    return MessageAdded(
        workspace="w",
        session="s0",
        id=f"m{number}",
        seq=seq,
        author=author_of(number),
        created_at=NOW,
        tokens=6,
        content=sentence_of(number),
        summaries=summaries,
    )


def conclusion(number, seq, id_=""):
    return ConclusionDerived(
        workspace="w",
        session="s0",
        id=id_ or f"c{number}",
        observed=author_of(number),
        content=conclusion_of(number),
        content_key="",
        occurred_at=NOW,
        engine=OFFLINE,
        evidence=(Evidence(f"m{number}", "s0", seq),),
    )


def summary(from_seq, to_seq, id_, parent):
    return SummaryProduced(
        workspace="w",
        session="s0",
        id=id_,
        kind="short",
        from_seq=from_seq,
        to_seq=to_seq,
        message=f"m{to_seq - 1}",
        content="",
        tokens=0,
        created_at=NOW,
        engine=OFFLINE,
        parent=parent,
    )


@pytest.fixture
def talk():
    accepted = [(f"m{number}", sentence_of(number)) for number in range(3)]
    return Talk([], "w", 3, 1, accepted={"s0": accepted})


@pytest.fixture
def events():
    return [
        message(0, 1),
        message(1, 2, ("short",)),
        message(2, 3, ("short",)),
        *(conclusion(number, number + 1) for number in range(3)),
        summary(1, 2, "x", None),
        summary(3, 3, "y", "x"),
    ]


def test_what_is_right_is_lawful(events, talk):
    assert_said_and_derived(events, talk)


@pytest.mark.parametrize("lost", range(8))
def test_what_is_lost_is_found(events, talk, lost):
    del events[lost]
    with pytest.raises(AssertionError):
        assert_said_and_derived(events, talk)


@pytest.mark.parametrize(
    "twice",
    [
        message(2, 4),
        conclusion(1, 2, "another"),
        summary(3, 3, "z", "y"),
    ],
)
def test_what_is_there_twice_is_found(events, talk, twice):
    with pytest.raises(AssertionError):
        assert_said_and_derived([*events, twice], talk)


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (1, message(2, 2, ("short",))),  # another order than it was sent in
        (4, conclusion(1, 1)),  # evidence that is another message
        (7, summary(2, 3, "y", "x")),  # a message summed up twice
        (7, summary(3, 3, "y", None)),  # a chain that begins anew
    ],
)
def test_what_is_not_as_it_was_said_is_found(events, talk, place, wrong):
    events[place] = wrong
    with pytest.raises(AssertionError):
        assert_said_and_derived(events, talk)
