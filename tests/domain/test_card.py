"""A card is replaced as a whole."""

from domain.card import (
    Card,
    CardEntryAdded,
    CardEntryRevised,
    CardReplacedByOwner,
    evolve_card,
    replace_card,
)
from tests.support.given import given

NAMED = ("w", "ann", "bob")


def replaced(*entries):
    return CardReplacedByOwner(
        workspace="w", observer="ann", observed="bob", entries=entries, kept=()
    )


def test_x50_a_second_card_replaces_the_first():
    given(replaced("likes tea")).when(
        replace_card, NAMED, ("likes coffee", "tall")
    ).then(replaced("likes coffee", "tall"))


def test_the_same_card_again_is_no_event():
    given(replaced("likes tea")).when(
        replace_card, NAMED, ("likes tea",)
    ).then_nothing()


def test_an_empty_card_is_a_card():
    given().when(replace_card, NAMED, ()).then(replaced())


def test_what_the_owner_sets_is_the_owners_where_the_agents_line_is_not_shown():
    line = CardEntryAdded(
        workspace="w",
        observer="ann",
        observed="bob",
        id="a",
        entry="IDENTITY: Bob",
        evidence=("c1",),
    )
    same = given(line)
    same.when(replace_card, NAMED, ("IDENTITY: Bob",), {"a"}).then_nothing()
    same.when(replace_card, NAMED, ("IDENTITY: Bob",)).then(replaced("IDENTITY: Bob"))


def test_a_line_whose_former_was_erased_is_written_all_the_same():
    revised = CardEntryRevised(
        workspace="w",
        observer="ann",
        observed="bob",
        id="a",
        entry="IDENTITY: Bob",
        evidence=("c1",),
    )
    assert evolve_card(Card(), revised).entries == ("IDENTITY: Bob",)
