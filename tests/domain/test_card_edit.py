"""What an agent wants on a card, and what becomes of the card (RS 5)."""

import pytest

from domain.card import (
    CardChanged,
    CardEntryAdded,
    CardEntryRemoved,
    CardEntryRevised,
    CardReplacedByOwner,
)
from domain.card_edit import CardEdit, WantedLine, edit_card
from domain.card_form import CardForm, fits_form, samples_of
from tests.support.given import Card, fold

NAMED = {"workspace": "w", "observer": "ann", "observed": "bob"}
HELD = {"c1": ("s",), "c2": ("s", "t"), "c3": ("",)}


def added(id_, entry, *evidence, run="d0"):
    told = tuple(sorted({s for each in evidence for s in HELD[each]}))
    return CardEntryAdded(
        id=id_, entry=entry, evidence=evidence, sessions=told, run=run, **NAMED
    )


def owner(*entries):
    return CardReplacedByOwner(entries=entries, **NAMED)


def edit(events, *wanted, version=None, shown=None, form=None):
    state = fold(Card, events)
    lines = [line.id for line in state.lines or () if line.id]
    asked = CardEdit(
        wanted=wanted,
        shown=lines if shown is None else shown,
        version=state.version if version is None else version,
        ids=[f"n{number}" for number in range(len(wanted))],
        run="d1",
        **NAMED,
    )
    return edit_card(state, asked, HELD, form or CardForm())


def line(text, *evidence, revises=None):
    return WantedLine(text, evidence, revises)


def test_a_new_line_is_added_with_what_it_rests_on():
    edited = edit([], line("IDENTITY: Is called Bob", "c2", "c1"))
    assert edited.changes == [
        added("n0", "IDENTITY: Is called Bob", "c2", "c1", run="d1")
    ]
    assert edited.changes[0].sessions == ("s", "t")


def test_a_line_that_is_there_stays_whatever_its_case_and_spaces():
    before = [added("a", "IDENTITY: Is called Bob", "c1")]
    assert edit(before, line("IDENTITY:  is called BOB ")).changes == []


def test_a_line_that_is_not_wanted_any_more_is_removed():
    before = [added("a", "IDENTITY: Bob", "c1"), added("b", "ATTRIBUTE: Tall", "c1")]
    [removed] = edit(before, line("ATTRIBUTE: Tall")).changes
    assert removed == CardEntryRemoved(id="a", run="d1", **NAMED)


def test_a_line_may_come_in_the_place_of_another():
    before = [added("a", "ATTRIBUTE: Lives in Rome", "c1")]
    [revised] = edit(
        before, line("ATTRIBUTE: Lives in Oslo", "c2", revises="a")
    ).changes
    assert isinstance(revised, CardEntryRevised)
    assert (revised.id, revised.entry) == ("a", "ATTRIBUTE: Lives in Oslo")
    assert fold(Card, [*before, revised]).entries == ("ATTRIBUTE: Lives in Oslo",)


def test_the_same_line_on_further_evidence_is_revised():
    before = [added("a", "ATTRIBUTE: Tall", "c1")]
    [revised] = edit(before, line("ATTRIBUTE: Tall", "c1", "c3")).changes
    assert (revised.evidence, revised.sessions) == (("c1", "c3"), ("", "s"))
    assert edit(before, line("ATTRIBUTE: Tall", "c1")).changes == []


@pytest.mark.parametrize(
    "text",
    [
        "Is called Bob",
        "identity: Bob",
        "IDENTITY:Bob",
        "IDENTITY: ",
        "IDENTITY:  ",
        "PREFERENCE: Tea",
        "ATTRIBUTE: " + "a" * 190,
        "ATTRIBUTE: nul\x00",
    ],
)
def test_a_line_of_another_form_is_refused(text):
    assert not fits_form(text, CardForm())
    edited = edit([], line(text, "c1"))
    assert (edited.changes, edited.malformed) == ([], (text,))


def test_the_longest_line_fits():
    assert fits_form("ATTRIBUTE: " + "a" * 189, CardForm())


def test_a_line_that_rests_on_nothing_is_refused():
    edited = edit([], line("IDENTITY: Bob", "unknown"), line("ATTRIBUTE: Tall", "c1"))
    assert edited.baseless == ("IDENTITY: Bob",)
    assert [each.entry for each in edited.changes] == ["ATTRIBUTE: Tall"]


def test_where_nothing_may_be_on_it_the_card_stays():
    before = [added("a", "IDENTITY: Bob", "c1")]
    for wanted in ([], [line("tall", "c1")], [line("ATTRIBUTE: Tall")]):
        assert edit(before, *wanted).changes == []


def test_beyond_forty_the_first_forty_are_kept():
    wanted = [line(f"ATTRIBUTE: {number}", "c1") for number in range(42)]
    edited = edit([], *wanted)
    assert len(edited.changes) == 40
    assert edited.surplus == ("ATTRIBUTE: 40", "ATTRIBUTE: 41")


def test_what_the_owner_set_is_neither_touched_nor_doubled():
    before = [owner("likes tea", "IDENTITY: Bob"), added("a", "ATTRIBUTE: Tall", "c1")]
    edited = edit(before, line("identity: bob"), line("ATTRIBUTE: Old", "c1"))
    assert edited.malformed == ()
    state = fold(Card, [*before, *edited.changes])
    assert state.entries == ("likes tea", "IDENTITY: Bob", "ATTRIBUTE: Old")
    assert [each.pinned for each in state.lines] == [True, True, False]


def test_the_owners_lines_take_room_from_the_agents():
    before = [owner("one", "two")]
    edited = edit(
        before,
        line("ATTRIBUTE: a", "c1"),
        line("ATTRIBUTE: b", "c1"),
        form=CardForm(lines=3),
    )
    assert (len(edited.changes), edited.surplus) == (1, ("ATTRIBUTE: b",))


def test_an_edit_of_a_former_card_is_refused_and_the_owners_stays():
    before = [added("a", "IDENTITY: Bob", "c1")]
    with pytest.raises(CardChanged):
        edit([*before, owner("mine")], line("ATTRIBUTE: Tall", "c1"), version=1)


def test_what_the_agent_was_not_shown_it_does_not_remove():
    before = [added("a", "IDENTITY: Bob", "c1"), added("b", "ATTRIBUTE: Tall", "c2")]
    assert edit(before, line("ATTRIBUTE: Tall"), shown=["b"]).changes == []


def test_an_agents_line_the_owner_leaves_stays_the_agents():
    state = fold(
        Card, [added("a", "IDENTITY: Bob", "c1"), owner("mine", "IDENTITY: Bob")]
    )
    assert [each.id for each in state.lines] == ["", "a"]
    assert state.entries == ("mine", "IDENTITY: Bob")


def test_of_what_was_refused_three_samples_are_shown_cut():
    shown = samples_of(["a" * 200, "b", "c", "d"])
    assert shown == ("a" * 120, "b", "c")
