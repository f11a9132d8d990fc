"""When two facts are one said twice, and which of them says more (RS 2.5)."""

import re
from collections.abc import Sequence
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019.,:/-][^\W_]+)*")

_DENIALS: Final = frozenset(
    {"not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "without"}
    | {"cannot", "hardly", "stopped", "quit"}
)


def says_more(new: Sequence[int], old: Sequence[int], weight: int) -> bool:
    """Tell whether the ``new`` wording says as much as the ``old`` one, or more.

    Both are tokens; each is worth one, and ``weight`` more if the other lacks it.
    """
    return _worth(new, old, weight) >= _worth(old, new, weight)


def may_be_one(new: str, old: str) -> bool:
    """Tell whether two facts that are near in meaning may be one.

    Vectors hardly tell them apart where one number or name stands for another, or one
    denies what the other says: such two are never one.
    """
    ours, theirs = _words(new), _words(old)
    if _denies(ours) != _denies(theirs):
        return False
    other = [word for word in ours if word.casefold() not in _folded(theirs)]
    instead = [word for word in theirs if word.casefold() not in _folded(ours)]
    return not (_tell(other) and _tell(instead))


def _worth(one: Sequence[int], other: Sequence[int], weight: int) -> int:
    return len(one) + weight * len(set(one) - set(other))


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _folded(words: Sequence[str]) -> set[str]:
    return {word.casefold() for word in words}


def _denies(words: Sequence[str]) -> bool:
    return any(
        word in _DENIALS or word.endswith(("n't", "n\u2019t"))
        for word in _folded(words)
    )


def _tell(words: Sequence[str]) -> bool:
    """Tell whether one of these is a number, or written as a name is."""
    return any(
        word[0].isupper() or any(letter.isdigit() for letter in word) for word in words
    )
