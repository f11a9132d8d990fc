"""Cuts what is longer than a model reads at once into overlapping chunks (RS 9.2)."""

import re
from typing import Final

import msgspec

OVERLAP: Final = 0.2
"""The share of a chunk that is said again at the beginning of the next."""

_PIECE: Final = re.compile(r"[^\W_]+|[^\w\s]|_")

_SHORT: Final = 6
_SYLLABLE: Final = 4
_UNSPACED: Final = "\u2e80"
_FOREIGN: Final = 1.6
"""Measured: so many more tokens than in English has the same length elsewhere."""


class Chunking(msgspec.Struct, frozen=True):
    """How many tokens a model reads of one text, and how many chunks are made.

    What is beyond the last chunk is not found by meaning.
    """

    window: int
    most: int = 64


def chunks(text: str, chunking: Chunking) -> list[str]:
    """Cut a text between words; one that fits is left as it is.

    The same text is always cut alike. Tokens are estimated, a tenth too many for
    English: the model reads all of nearly every chunk.
    """
    if len(text) <= chunking.window or chunking.most == 1:
        return [text]
    places = _places(text)
    if not places or places[-1][1] <= chunking.window:
        return [text]
    found: list[str] = []
    first = 0
    while len(found) < chunking.most:
        after = _until(places, first, chunking.window)
        end = len(text) if after == len(places) else places[after][0]
        found.append(text[places[first][0] if found else 0 : end].rstrip())
        if after == len(places):
            break
        first = _back(places, first, after, OVERLAP * chunking.window)
    return found


def _places(text: str) -> list[tuple[int, float]]:
    """Return where each word begins, and how many tokens there are to its end."""
    foreign = _FOREIGN if _is_foreign(text) else 1.0
    places: list[tuple[int, float]] = []
    sum_of_all = 0.0
    for found in _PIECE.finditer(text):
        for start, weight in _weighed(found.group(), found.start()):
            sum_of_all += weight * foreign
            places.append((start, sum_of_all))
    return places


def _is_foreign(text: str) -> bool:
    """Tell whether one letter of two hundred is none of English, quotes aside."""
    if text.isascii():
        return False
    strange = sum(each > "\x7f" and each.isalpha() for each in text)
    return strange * 200 > len(text)


def _weighed(word: str, start: int) -> list[tuple[int, int]]:
    """Weigh a word; what is written without blanks is as many as it has letters."""
    if word[0] >= _UNSPACED or len(word) > _LONGEST:
        return [(start + n, 1) for n in range(len(word))]
    return [(start, 1 if len(word) <= _SHORT else -(-len(word) // _SYLLABLE))]


_LONGEST: Final = 64


def _until(places: list[tuple[int, float]], first: int, window: float) -> int:
    """Return the first word that does not fit a chunk which begins at ``first``."""
    before = places[first - 1][1] if first else 0.0
    after = first + 1
    while after < len(places) and places[after][1] - before <= window:
        after += 1
    return after


def _back(
    places: list[tuple[int, float]], first: int, after: int, overlap: float
) -> int:
    """Return where the next chunk begins: an overlap before this one ends."""
    begin = after
    end = places[after - 1][1]
    while begin - 1 > first and end - places[begin - 2][1] <= overlap:
        begin -= 1
    return begin
