"""What was found becomes known: new, or said again, in the same words or others."""

from collections.abc import Mapping

import msgspec

from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReworded,
    Conclusions,
    Evidence,
    Found,
    Near,
    content_key,
)
from domain.event import Engine


def conclude(
    state: Conclusions,
    named: tuple[str, str],
    found: list[Found],
    engine: Engine,
    derivation: str,
) -> list[ConclusionDerived | ConclusionReinforced]:
    """Record each fact: new ones as derived, known ones as reinforced (RS 2.5).

    What only means the same as a known one reinforces it in its own words; from then
    on each saying of it tells its words, for not everybody heard all of them. What
    rests on nothing but what was found before it is no saying more: an engine wrote
    one fact twice.
    """
    known, reworded = dict(state.known), set(state.reworded)
    by = (*named, engine, derivation)
    events: list[ConclusionDerived | ConclusionReinforced] = []
    rests_on: dict[str, set[Evidence | str]] = {}
    for fact in found:
        key = (fact.level, fact.observed, content_key(fact.content))
        known_as = _known_as(known, key, fact.near)
        premises = rests_on.setdefault(known_as or fact.id, set())
        before = len(premises)
        premises.update(fact.evidence, fact.sources)
        if known_as is None:
            known[key] = fact.id
            events.append(_anew(fact, by))
            continue
        near = None if key in known else fact.near
        if len(premises) == before and not (near is not None and near.fuller):
            continue
        again = _again(known_as, fact, by)
        if near is not None or known_as in reworded:
            known.setdefault(key, known_as)
            reworded.add(known_as)
            again = _in_words(again, fact, near)
        events.append(again)
    return events


def _anew(fact: Found, by: tuple[str, str, Engine, str]) -> ConclusionDerived:
    workspace, session, engine, derivation = by
    return ConclusionDerived(
        workspace=workspace,
        session=session,
        id=fact.id,
        observed=fact.observed,
        content=fact.content,
        content_key=content_key(fact.content),
        occurred_at=fact.occurred_at,
        engine=engine,
        level=fact.level,
        evidence=fact.evidence,
        sources=fact.sources,
        derivation=derivation,
    )


def _again(
    known_as: str, fact: Found, by: tuple[str, str, Engine, str]
) -> ConclusionReinforced:
    workspace, session, engine, derivation = by
    return ConclusionReinforced(
        workspace=workspace,
        session=session,
        id=known_as,
        observed=fact.observed,
        occurred_at=fact.occurred_at,
        engine=engine,
        evidence=fact.evidence,
        derivation=derivation,
    )


def _in_words(
    again: ConclusionReinforced, fact: Found, near: Near | None
) -> ConclusionReworded:
    return ConclusionReworded(
        **msgspec.structs.asdict(again),
        content=fact.content,
        content_key=content_key(fact.content),
        level=fact.level,
        fuller=near is not None and near.fuller,
    )


def _known_as(
    known: Mapping[tuple[str, str, str], str],
    key: tuple[str, str, str],
    near: Near | None,
) -> str | None:
    """Return the id of a fact that is known by its text, or by what it says again."""
    if key in known or near is None:
        return known.get(key)
    level, observed, _ = key
    return known.get((level, observed, near.key))
