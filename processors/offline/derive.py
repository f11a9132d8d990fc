"""Draws conclusions about a peer from what it said of itself (RS 3.2, no model)."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from processors.offline.agents import speaks_as_agent
from processors.offline.clauses import clauses
from processors.offline.dates import resolve_dates
from processors.offline.ellipsis import restore_subject
from processors.offline.fact import Fact
from processors.offline.openings import without_opening
from processors.offline.sentences import Sentence, sentences
from processors.offline.third_person import third_person
from processors.offline.utterance import Utterance
from processors.offline.worth import worth_keeping

_LONGEST: Final = 65_535


def derive(window: Sequence[Utterance], observed: str) -> list[Fact]:
    """The conclusions about `observed`, in the order in which they were said.

    Each is one sentence about the exact peer id that rests on messages `observed`
    wrote; the same sentence said twice is one conclusion with both messages. An author
    that speaks as an assistant gives none.
    """
    own = [utterance for utterance in window if utterance.author == observed]
    if not own or speaks_as_agent(observed, (utterance.text for utterance in own)):
        return []
    names = frozenset(
        name for u in window if u.author != observed for name in _called(u.author)
    )
    evidence: dict[str, list[str]] = {}
    for utterance in own:
        for content in _conclusions(utterance, names):
            known = evidence.setdefault(content, [])
            if utterance.id not in known:
                known.append(utterance.id)
    return [Fact(content, tuple(ids)) for content, ids in evidence.items()]


def _conclusions(utterance: Utterance, names: frozenset[str]) -> Iterator[str]:
    if not _may_tell().search(utterance.text):
        return
    for sentence in sentences(utterance.text):
        text = restore_subject(without_opening(sentence.text, names))
        for clause in clauses(Sentence(text, sentence.mark)):
            told = restore_subject(without_opening(clause, names))
            content = _conclude(told, utterance) if worth_keeping(told) else None
            if content is not None:
                yield content


def _conclude(clause: str, utterance: Utterance) -> str | None:
    dated, uncertain = resolve_dates(clause, utterance.at.date())
    told = third_person(dated, utterance.author)
    if told is None or utterance.author not in told:
        return None
    if told.lower() == f"{utterance.author} is {utterance.author}".lower():
        return None  # a peer that says its own name tells nothing new
    anchor = f" (said on {utterance.at.date()})" if uncertain else ""
    content = f"{told}{anchor}."
    return content if len(content) <= _LONGEST else None


def _called(author: str) -> tuple[str, ...]:
    low = author.lower()
    return tuple({low, *(low[:n] for n in range(3, len(low)))})


@cache
def _may_tell() -> re.Pattern[str]:
    """Whether a text can hold a self-statement at all: most of the speed is here."""
    return re.compile(
        r"\b(?:i|i['\u2019]?m|i['\u2019]?ve|i['\u2019]ll|i['\u2019]d|my|me|we|our|us"
        r"|mine)\b"
        r"|(?:^|[.!?\n-] ?)(?:[a-z]+,? ){0,3}(?:been|just|working|planning|trying"
        r"|hoping"
        r"|researching|thinking|learning|studying|getting|preparing|looking|training"
        r"|saving|moving|volunteering|teaching|taking|starting|building|writing|heading"
        r"|love|enjoy|hate|prefer|gonna|[a-z]+ed|lost|had|was|gave|made|won|sold|met"
        r"|ran|got|went|bought|moved|started|finished|adopted|joined"
        r"|signed|tried|took|still|finally|recently)\b",
        re.IGNORECASE,
    )
