"""A card is replaced as a whole."""

from domain.card import CardReplacedByOwner, replace_card
from tests.support.given import given

NAMED = ("w", "ann", "bob")


def replaced(*entries):
    return CardReplacedByOwner(
        workspace="w", observer="ann", observed="bob", entries=entries
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
