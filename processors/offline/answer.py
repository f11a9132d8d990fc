"""Answers a question with what is known, quoted with its evidence and its dates."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import log
from typing import Final

from processors.offline.known import Known
from processors.offline.stems import stems

_NOTHING: Final = "Nothing is known about that yet."
_NEAR: Final = 0.35
"""Cosine similarity from which a text is about the question without sharing a word."""

_LONGEST_QUOTE: Final = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's text, the ids of what it quotes, and each quote by itself."""

    text: str
    cited: tuple[str, ...]
    lines: tuple[str, ...] = field(default=(), compare=False)


def answer(question: str, known: Sequence[Known], *, limit: int = 5) -> Answer:
    """What is known about the question, best first, at most `limit` things.

    What shares no word with the question counts only from a similarity of 0.35 on;
    where nothing is left, the answer says plainly that nothing is known. A question
    without words of its own ("what do you know about alice?") gets the best there is.
    """
    best = _ranked(question, known)
    quoted: list[Known] = []
    texts: set[str] = set()
    told: dict[str, set[str]] = {"conclusion": set(), "message": set()}
    for item in best:
        if len(quoted) >= limit:
            break
        other = "message" if item.kind == "conclusion" else "conclusion"
        if item.text.lower() in texts or not told[other].isdisjoint(_messages(item)):
            continue
        quoted.append(item)
        texts.add(item.text.lower())
        told[item.kind].update(_messages(item))
    if not quoted:
        return Answer(_NOTHING, ())
    lines = tuple(map(_line, quoted))
    text = "\n".join(("This is known:", *(f"- {line}" for line in lines)))
    return Answer(text, tuple(item.id for item in quoted), lines)


def _messages(item: Known) -> tuple[str, ...]:
    return (item.id,) if item.kind == "message" else item.evidence


def _ranked(question: str, known: Sequence[Known]) -> list[Known]:
    names = {item.peer for item in known}
    asked = stems(question, without=names)
    found = [(item, stems(item.text, without=names)) for item in known]
    frequency = Counter(stem for _, held in found for stem in held & asked)
    rarity = {s: log(1 + len(known) / (1 + frequency[s])) for s in sorted(asked)}
    whole = sum(rarity.values())
    scored = []
    for item, held in found:
        shared = sum(rarity[stem] for stem in sorted(held & asked))
        if shared or item.score >= _NEAR or not asked:
            overlap = shared / whole if whole else 0.0
            scored.append((item.score + overlap, item.at, item))
    scored.sort(key=_place, reverse=True)
    return [item for _, _, item in scored]


def _place(entry: tuple[float, datetime, Known]) -> tuple[float, datetime, bool, str]:
    """Rank by score, then the newer first; a conclusion before its own message."""
    score, at, item = entry
    return score, at, item.kind == "conclusion", item.id


def _line(item: Known) -> str:
    text = " ".join(item.text.split())
    if len(text) > _LONGEST_QUOTE:
        text = text[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + "…"
    day = item.at.date()
    if item.kind == "message":
        return f'On {day} {item.peer} said: "{text}" (message {item.id})'
    if not item.evidence:
        return f"{text} ({day})"
    noun = "message" if len(item.evidence) == 1 else "messages"
    return f"{text} ({day}, {noun} {', '.join(item.evidence)})"
