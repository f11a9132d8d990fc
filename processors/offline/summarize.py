"""Summarises a stretch of a session by its own sentences, day by day (RS 4.1, 4.2)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from processors.offline.derive import derive
from processors.offline.fact import Fact
from processors.offline.sentences import sentences
from processors.offline.stems import stems
from processors.offline.utterance import Utterance

_BETWEEN: Final = "  "
"""Two blanks between statements, by which the next summary tells them apart again."""

_EARLIER: Final = "Earlier"
_LONGEST_QUOTE: Final = 240
_FULL_WEIGHT: Final = 8
_FACT, _QUESTION, _REMARK = 3.0, 1.5, 1.0


@dataclass(frozen=True, slots=True)
class _Statement:
    day: str
    text: str


def summarize(
    previous: str | None,
    messages: Sequence[Utterance],
    *,
    token_limit: int,
    count: Callable[[str], int],
    facts: Sequence[Fact] | None = None,
) -> str:
    """The whole conversation so far in at most `token_limit` tokens, as `count` counts.

    Absorbs `previous`, the last summary of the same kind, whichever engine wrote it.
    Statements stand in the order of their days; those that tell least are left out
    first. Empty if nothing of substance was said, or nothing fits.
    `facts` are what `derive` says of all authors, where that is known already.
    """
    statements = _distinct(_recalled(previous or "") + _new(messages, facts))
    return _text(_fitting(statements, token_limit, count))


def _recalled(summary: str) -> list[_Statement]:
    found: list[_Statement] = []
    for line in summary.splitlines():
        match = _day_line().match(line)
        day = (match and match["date"]) or _EARLIER
        text = match["text"] if match else line
        parts = text.split(_BETWEEN) if match else _stop().split(text)
        found.extend(_Statement(day, part.strip()) for part in parts if part.strip())
    return found


def _new(
    messages: Sequence[Utterance], facts: Sequence[Fact] | None
) -> list[_Statement]:
    if facts is None:
        authors = dict.fromkeys(said.author for said in messages)
        facts = [fact for author in authors for fact in derive(messages, author)]
    told: dict[str, list[str]] = {}
    for fact in facts:
        told.setdefault(fact.evidence[0], []).append(fact.content)
    return [
        _Statement(str(said.at.date()), text)
        for said in messages
        for text in told.get(said.id) or _quoted(said)
    ]


def _quoted(said: Utterance) -> list[str]:
    """The question or else the sentence of most substance, in the author's words."""
    best, most, verb = "", 0, "said"
    for sentence in sentences(said.text):
        asks = sentence.mark == "?"
        substance = len(stems(sentence.text)) + asks
        if substance > most:
            best, most = sentence.text + sentence.mark, substance
            verb = "asked" if asks else "said"
    if most < 2:  # noqa: PLR2004 - a greeting, a name called
        return []
    best = " ".join(best.split()).replace('"', "'")
    if len(best) > _LONGEST_QUOTE:
        best = best[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + "…"
    return [f'{said.author} {verb}: "{best}"']


def _distinct(statements: list[_Statement]) -> list[_Statement]:
    first: dict[str, _Statement] = {}
    for statement in statements:
        first.setdefault(statement.text, statement)
    return list(first.values())


def _fitting(
    statements: list[_Statement], limit: int, count: Callable[[str], int]
) -> list[_Statement]:
    order = sorted(
        range(len(statements)),
        key=lambda index: (_weight(statements[index].text), index),
        reverse=True,
    )
    chosen: list[int] = []
    days: set[str] = set()
    left = limit
    for index in order:
        day = statements[index].day
        cost = count(_BETWEEN + statements[index].text)
        cost += 0 if day in days else count(f"\nOn {day}: ")
        if cost <= left:
            chosen.append(index)
            days.add(day)
            left -= cost
    while chosen and count(_text([statements[n] for n in sorted(chosen)])) > limit:
        chosen.pop()
    return [statements[index] for index in sorted(chosen)]


def _weight(text: str) -> float:
    said = _speech().match(text)
    kind = _FACT if said is None else _QUESTION if said[1] == "asked" else _REMARK
    return kind * min(len(stems(text)), _FULL_WEIGHT)


def _text(statements: list[_Statement]) -> str:
    days: dict[str, list[str]] = {}
    for statement in statements:
        days.setdefault(statement.day, []).append(statement.text)
    lines = []
    for day in sorted(days, key=lambda day: "" if day == _EARLIER else day):
        opening = f"{_EARLIER}: " if day == _EARLIER else f"On {day}: "
        lines.append(opening + _BETWEEN.join(days[day]))
    return "\n".join(lines)


@cache
def _day_line() -> re.Pattern[str]:
    return re.compile(rf"(?:On (?P<date>\d{{4}}-\d\d-\d\d)|{_EARLIER}): (?P<text>.*)$")


@cache
def _stop() -> re.Pattern[str]:
    return re.compile(r"(?<=[.!?])\s+")


@cache
def _speech() -> re.Pattern[str]:
    return re.compile(r'\S+ (said|asked): "')
