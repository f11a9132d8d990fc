"""An answer of a model, parted from the list of what it says it rests on.

The prompt asks for a last line ``[[sources: c1, m2]]``; nobody asked for it, so it is
taken out, also from a stream, where it may come in any number of pieces.
"""

import re
from typing import Final

_MARK: Final = "[[sources:"
_LINE: Final = re.compile(r"\s*\[\[sources:([^\[\]]*)\]\]\s*\Z")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
"""A label, or an id: each letter of one may be told from any other."""


class CitedAnswer:
    """Takes in an answer piece by piece and gives back what may be shown of it."""

    def __init__(self) -> None:
        self._held = ""

    def take(self, piece: str) -> str:
        """Return what can be shown now; what may be the list is held back."""
        self._held += piece
        kept = _begins(self._held)
        shown, self._held = self._held[:kept], self._held[kept:]
        return shown

    def end(self) -> tuple[str, tuple[str, ...] | None]:
        """Return what is left to show, and the names listed, each once, in order.

        They are labels or ids, or any other word; None where there was no list.
        """
        listed = _LINE.match(self._held)
        if listed is None:
            return self._held, None
        names = (each for each in _NAME.findall(listed[1]) if each != "none")
        return "", tuple(dict.fromkeys(names))


def split_sources(text: str) -> tuple[str, tuple[str, ...] | None]:
    """Return a whole answer without its list, and the names listed, if it had one."""
    answer = CitedAnswer()
    shown = answer.take(text)
    rest, names = answer.end()
    return shown + rest, names


def _begins(text: str) -> int:
    """Return where the list begins or may begin, with the blanks before it."""
    at = text.find(_MARK)
    while at >= 0 and not _may_be_last(text[at:]):
        at = text.find(_MARK, at + 1)
    if at < 0:
        longest = min(len(_MARK) - 1, len(text))
        partial = next(
            (n for n in range(longest, 0, -1) if text.endswith(_MARK[:n])), 0
        )
        at = len(text) - partial
    return len(text[:at].rstrip())


def _may_be_last(marked: str) -> bool:
    """Tell whether nothing but the list, whole or begun, is here."""
    inside, closed, after = marked[len(_MARK) :].partition("]")
    if "[" in inside:
        return False
    return not closed or not after or (after[0] == "]" and not after[1:].strip())
