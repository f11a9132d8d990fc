"""The stems by which a question and an answer are compared."""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

from processors.offline.vocabulary import vocabulary

_STOP: Final = vocabulary(
    """
    a an the and or but if then than so of in on at to for from with by about as
    into is are was were be been am being has have had do does did will would can
    could should may might must i you he she it we they me him her us them my your
    his its our their what which who whom whose when where why how that this these
    those there here not no yes any some all just also very too s t m re ve ll d
    know tell said say says user person people peer kind sort type ever please
    """
)
_ENDINGS: Final = (
    "ations", "ation", "ingly", "edly", "ness", "ment", "ies", "ing", "ied", "est",
    "ed", "ly", "es", "er", "s",
)  # fmt: skip
_SHORTEST: Final = 3


def stems(text: str, *, without: Iterable[str] = ()) -> frozenset[str]:
    """The stems of the words that carry meaning; `without` names words to leave out."""
    left_out = {word for name in without for word in _word().findall(name.lower())}
    return frozenset(
        _stem(word)
        for word in _word().findall(text.lower())
        if word not in _STOP and word not in left_out
    )


@cache
def _word() -> re.Pattern[str]:
    return re.compile(r"[^\W_]+")


@lru_cache(maxsize=16_384)
def _stem(word: str) -> str:
    """A rough stem: "adopting", "adopted" and "adopts" are one."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            word = word[: -len(ending)]
            break
    if len(word) > _SHORTEST and (word[-1] == word[-2] or word[-1] in "eyi"):
        return word[:-1]
    return word
