"""Whether a word can be the verb of a sentence in the third person or the past."""

from typing import Final

from processors.offline.verb_words import BASE_VERBS, IRREGULAR_PAST, MODALS
from processors.offline.vocabulary import vocabulary

_PRESENT: Final = vocabulary(
    """
    is isn't are aren't has hasn't does doesn't have haven't don't do 's 're 've 'll
    means keeps makes
    """
)
_FALSE_PAST: Final = vocabulary(
    """
    need feed speed bleed breed embed seed shed wed bed
    """
)
_SHORTEST_PAST: Final = 4


def is_finite(word: str) -> bool:
    """True for "is", "lives", "moved", "went", "can"; False for "live" and "moving"."""
    if word in _PRESENT or word in MODALS or is_past(word):
        return True
    return word.endswith("s") and any(base in BASE_VERBS for base in _bases(word))


def is_past(word: str) -> bool:
    """True for a past form, in which no person shows."""
    if word.endswith("ed") and word not in _FALSE_PAST:
        return len(word) >= _SHORTEST_PAST
    return word in IRREGULAR_PAST


def _bases(word: str) -> tuple[str, ...]:
    if word.endswith("ies"):
        return (word[:-1], word[:-3] + "y")
    if word.endswith("es"):
        return (word[:-1], word[:-2])
    return (word[:-1],)
