"""What a question says of who spoke and when, and whom of the found it favours."""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

AUTHOR: Final = 0.1
"""How much more a text weighs whose author the question names, where not all are."""

DAY: Final = 0.1
"""How much more one weighs of a month the question names, and again of its day."""

_SHORTEST: Final = 3
"""Letters of a part of a name that can be told from an ordinary small word."""

_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)

_WORD: Final = re.compile(r"[^\W_]+")
_YEAR: Final = re.compile(r"\b(?:19|20)\d\d\b")
_ISO: Final = re.compile(r"\b((?:19|20)\d\d)-(\d\d)(?:-(\d\d))?\b")
_NUMBER: Final = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\b")
# "May" alone is more often a word than a month.
_MAY: Final = re.compile(
    r"\b(?:in|on|of|last|this|next|since|until|\d{1,2}) may\b|\bmay \d"
)


class Favour(msgspec.Struct, frozen=True):
    """The words, months, years and days a question names."""

    words: frozenset[str]
    months: frozenset[int]
    years: frozenset[int]
    days: frozenset[int]

    def shares(self, said: Sequence[tuple[str, datetime]]) -> list[float]:
        """Return how much more each weighs, of who said it and when: 0.1 is a tenth."""
        authors = {author for author, _ in said}
        named = {each for each in authors if self._names(each)}
        if len(named) == len(authors):
            named = set()
        return [
            (AUTHOR if author in named else 0.0) + self._of_day(at)
            for author, at in said
        ]

    def _names(self, author: str) -> bool:
        parts = (each.lower() for each in _WORD.findall(author))
        return any(len(each) >= _SHORTEST and each in self.words for each in parts)

    def _of_day(self, at: datetime) -> float:
        if not self.months:
            return 0.0
        day = at.astimezone(UTC)
        if day.month not in self.months or (self.years and day.year not in self.years):
            return 0.0
        return DAY * (2 if day.day in self.days else 1)


def favour_of(query: str) -> Favour:
    """Read who and when a question asks for; months by their English names, or ISO."""
    lower = query.lower()
    words = frozenset(_WORD.findall(lower))
    dates = _ISO.findall(lower)
    months = {int(month) for _, month, _ in dates}
    months |= {
        n for n, name in enumerate(_MONTHS, start=1) if _told(name, words, lower)
    }
    days: Collection[str] = [day for _, _, day in dates if day]
    if months and not dates:
        days = _NUMBER.findall(lower)
    return Favour(
        words,
        frozenset(months),
        frozenset(map(int, _YEAR.findall(lower))),
        frozenset(map(int, days)),
    )


def _told(name: str, words: frozenset[str], lower: str) -> bool:
    return name in words and (name != "may" or _MAY.search(lower) is not None)
