"""The form of a line that an agent writes on a peer card (RS 5)."""

from collections.abc import Sequence
from typing import Final

import msgspec

KINDS: Final = ("IDENTITY:", "ATTRIBUTE:", "RELATIONSHIP:", "INSTRUCTION:")
"""What a line begins with, before a space and what it says."""

SAMPLES: Final = 3
"""Most refused lines that are shown to the agent."""

SAMPLE: Final = 120
"""Longest such sample in characters."""


class CardForm(msgspec.Struct, frozen=True):
    """How many lines a card may have, and how many characters each."""

    lines: int = 40
    characters: int = 200


def fits_form(text: str, form: CardForm) -> bool:
    """Tell whether a line may be on a card: its kind, something said, its length."""
    kind, _, said = text.partition(" ")
    return (
        kind in KINDS
        and bool(said.strip())
        and len(text) <= form.characters
        and "\x00" not in text
    )


def same_line(text: str) -> str:
    """Return what equal lines have in common: case and spaces do not count."""
    return " ".join(text.split()).casefold()


def samples_of(refused: Sequence[str]) -> tuple[str, ...]:
    """Return what is shown of lines that were refused."""
    return tuple(text[:SAMPLE] for text in refused[:SAMPLES])
