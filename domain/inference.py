"""What is inferred from conclusions: of which levels, and resting on how many (RS 2.3).

It belongs to a pair and to no one session; every premise holds when it is recorded,
or it is not (RS 13.1 W22).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal

import msgspec

from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    Conclusions,
    Evidence,
    Found,
    content_key,
)
from domain.derivation import Refused
from domain.event import Engine
from domain.premises import Premises, check_premises
from domain.support import LEAST_SOURCES, still_stands

Inferable = Literal["deductive", "inductive", "contradiction"]

LEAST: Final[Mapping[Inferable, int]] = {
    "deductive": 1,
    "inductive": LEAST_SOURCES,
    "contradiction": 2,
}
"""Fewest conclusions one of each level may rest on."""


class Inference(msgspec.Struct, frozen=True, kw_only=True):
    """For whom something is inferred, by what engine, command and run.

    ``sessions`` tells of each premise in which sessions what it tells was said, ""
    standing for none; ``evidence`` are the messages it rests on.
    """

    workspace: str
    observer: str
    engine: Engine
    derivation: str
    run: str
    sessions: Mapping[str, Sequence[str]]
    evidence: Mapping[str, Sequence[Evidence]]


def check_inferred(
    found: Sequence[Found], holding: Collection[str]
) -> tuple[list[Found], Refused]:
    """Return what may be recorded of what was inferred, and count what may not.

    A deduction or contradiction that lost a premise goes, a pattern while two are
    left stays, without it.
    """
    kept, refused = check_premises(found, Premises("", (), holding))
    claimed = {fact.id: len(fact.sources) for fact in found}
    sound = [
        fact
        for fact in kept
        if fact.level != "explicit"
        and len(fact.sources) >= LEAST[fact.level]
        and still_stands(fact.level, claimed[fact.id], len(fact.sources))
    ]
    return sound, refused + Refused(len(kept) - len(sound), 0)


def infer(
    state: Conclusions, found: Sequence[Found], inference: Inference
) -> list[ConclusionDerived | ConclusionReinforced]:
    """Record each inference for its observer: new as derived, known as reinforced."""
    known = dict(state.known)
    events: list[ConclusionDerived | ConclusionReinforced] = []
    for fact in found:
        key = (fact.level, fact.observed, content_key(fact.content))
        if key in known:
            events.append(_again(known[key], fact, inference))
            continue
        known[key] = fact.id
        events.append(_anew(fact, inference))
    return events


def _again(known: str, fact: Found, inference: Inference) -> ConclusionReinforced:
    return ConclusionReinforced(
        workspace=inference.workspace,
        session=None,
        id=known,
        observed=fact.observed,
        occurred_at=fact.occurred_at,
        engine=inference.engine,
        derivation=inference.derivation,
        run=inference.run,
    )


def _anew(fact: Found, inference: Inference) -> ConclusionDerived:
    told = {each for source in fact.sources for each in inference.sessions[source]}
    return ConclusionDerived(
        workspace=inference.workspace,
        session=None,
        id=fact.id,
        observed=fact.observed,
        content=fact.content,
        content_key=content_key(fact.content),
        occurred_at=fact.occurred_at,
        engine=inference.engine,
        observer=inference.observer,
        level=fact.level,
        evidence=_evidence(fact, inference),
        sources=fact.sources,
        sessions=tuple(sorted(told)),
        derivation=inference.derivation,
        run=inference.run,
        pattern=fact.pattern,
        confidence=fact.confidence,
    )


def _evidence(fact: Found, inference: Inference) -> tuple[Evidence, ...]:
    """Return all messages that its sources rest on, in their order."""
    cited = {each for source in fact.sources for each in inference.evidence[source]}
    return tuple(sorted(cited, key=lambda e: (e.session, e.seq, e.message)))
