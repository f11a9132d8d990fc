"""An agent's line is shown while all it rests on is held, and never once erased."""

from datetime import UTC, datetime

from domain.card import CardEntryAdded, CardReplacedByOwner
from domain.conclusion import (
    EVIDENCE_ERASED,
    ConclusionDerived,
    ConclusionReinstated,
    ConclusionRetracted,
)
from domain.erasure import SessionErased, WorkspaceErased
from domain.event import Engine
from projections.cards import find_card_lines, get_card, show_card
from projections.registry import PROMPT
from tests.support.folding import create, fold
from tests.support.history import record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAIR = {"workspace": "w", "observer": "bob", "observed": "bob"}


def derived(id_, session="s"):
    return ConclusionDerived(
        workspace="w",
        session=session,
        id=id_,
        observed="bob",
        content=f"Bob {id_}",
        content_key=f"bob {id_}",
        occurred_at=NOON,
        engine=Engine(name="offline", version="1"),
        observer=None if session else "bob",
    )


def retracted(id_, session="s", reason="r", unit="u"):
    return ConclusionRetracted(
        workspace="w", session=session, id=id_, reason=reason, actor="a", unit=unit
    )


def added(id_, text, *evidence, sessions=("s",)):
    return CardEntryAdded(
        id=id_, entry=text, evidence=evidence, sessions=sessions, **PAIR
    )


async def folded(db, events):
    await create(db, PROMPT)
    history = record(events)
    await fold(db, PROMPT, history)
    return history


async def card(db, **asked):
    return await get_card(db, "w", "bob", "bob", **asked)


async def test_a_line_is_withdrawn_with_its_evidence_and_back_with_it(db):
    again = ConclusionReinstated(
        workspace="w", session="s", id="c1", unit="u", reason="r", actor="a"
    )
    await folded(
        db,
        [
            derived("c1"),
            derived("c2"),
            added("a", "IDENTITY: Bob", "c1", "c2"),
            added("b", "ATTRIBUTE: Tall", "c2"),
            retracted("c1"),
            again,
        ],
    )
    both = ["IDENTITY: Bob", "ATTRIBUTE: Tall"]
    shown = [await card(db, as_of=position) for position in range(2, 7)]
    assert shown == [None, both[:1], both, both[1:], both]
    assert await card(db) == both


async def test_what_the_owner_set_stands_on_nothing(db):
    owner = CardReplacedByOwner(entries=("likes tea",), **PAIR)
    await folded(db, [derived("c1"), owner, retracted("c1")])
    assert await card(db) == ["likes tea"]
    assert await card(db, sessions=["s"]) == []


async def test_confined_to_sessions_only_covered_lines_are_shown(db):
    await folded(
        db,
        [
            derived("c1"),
            derived("c2", "t"),
            derived("c3", None),
            added("a", "IDENTITY: a", "c1"),
            added("b", "IDENTITY: b", "c1", "c2", sessions=("s", "t")),
            added("c", "IDENTITY: c", "c3", sessions=("",)),
        ],
    )
    assert await card(db, sessions=["s"]) == ["IDENTITY: a"]
    assert await card(db, sessions=["s", "t"]) == ["IDENTITY: a", "IDENTITY: b"]
    assert await card(db, sessions=[]) == []


async def test_lines_go_with_any_session_they_rest_on_at_every_moment(db):
    erased = SessionErased(workspace="w", session="s", erased_at=NOON, through=5)
    await folded(
        db,
        [
            derived("c1"),
            derived("c2", "t"),
            added("a", "IDENTITY: a", "c1", "c2", sessions=("s", "t")),
            added("b", "IDENTITY: b", "c2", sessions=("t",)),
            CardReplacedByOwner(entries=("mine", "IDENTITY: a"), **PAIR),
            erased,
        ],
    )
    texts = await db.fetch("SELECT lines::text AS lines FROM card")
    assert not any("IDENTITY: a" in row["lines"] for row in texts)
    assert await card(db) == ["mine"]
    assert await card(db, as_of=4) == ["IDENTITY: b"]


async def test_lines_go_with_a_conclusion_that_was_bereft(db):
    await folded(
        db,
        [
            derived("c1", None),
            added("a", "IDENTITY: a", "c1", sessions=("s",)),
            retracted("c1", None, EVIDENCE_ERASED),
        ],
    )
    assert await card(db) == []
    assert await card(db, as_of=2) == []


async def test_a_card_goes_with_its_workspace(db):
    erased = WorkspaceErased(workspace="w", erased_at=NOON, through=1)
    await folded(db, [CardReplacedByOwner(entries=("x",), **PAIR), erased])
    assert await card(db) is None


async def test_it_is_known_which_lines_rest_on_a_conclusion(db):
    await folded(db, [derived("c1"), added("a", "IDENTITY: a", "c1"), retracted("c1")])
    [found] = await find_card_lines(db, "w", ["c1", "c9"], 10)
    assert (found.observer, found.line, found.text) == ("bob", "a", "IDENTITY: a")
    shown = await show_card(db, ("w", "bob", "bob"))
    assert (shown.lines, shown.version) == ([], 1)
