"""A conclusion: what memory holds of a peer, and the words it rests on."""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from domain.event import Engine, Event, Personal

Level = Literal["explicit", "deductive", "inductive", "contradiction"]

MAX_CONCLUSION = 65_535
"""Longest conclusion in characters (HC 10)."""


EVIDENCE_ERASED = "its evidence was erased"
"""Why a conclusion that rested on nothing but an erased session is retracted."""


class Evidence(msgspec.Struct, frozen=True):
    """One message a conclusion rests on: its public id, session and number."""

    message: str
    session: str
    seq: int


class ConclusionDerived(Event, frozen=True, kw_only=True, tag="conclusion-derived"):
    """Something was concluded about ``observed``, from this evidence.

    It is stored once; who may see it is decided by membership when it was said,
    unless ``observer`` names the one peer it was made for. ``occurred_at`` is the
    time of the newest message it rests on. ``content_key`` is the normalised text
    by which equal conclusions meet (RS 2.5); ``derivation`` is the id of the
    command that made it. ``sources`` are conclusions it was built on. What ``corrects``
    another is held by whoever held that.

    What was inferred tells in which ``sessions`` all it was built on was said, ""
    standing for none, and the ``run`` that inferred it: a dream's id. Its ``evidence``
    is that of its sources. Of a pattern ``pattern`` says what kind it is, and
    ``confidence`` how sure (RS 2.3).
    """

    sealed_for: ClassVar[tuple[str | None, str | None]] = ("session", "observed")

    session: str | None
    id: str
    observed: str
    content: Personal[str]
    content_key: Personal[str]
    occurred_at: datetime
    engine: Engine
    observer: str | None = None
    level: Level = "explicit"
    evidence: tuple[Evidence, ...] = ()
    sources: tuple[str, ...] = ()
    generation: int = 1
    derivation: str = ""
    corrects: str | None = None
    sessions: tuple[str, ...] = ()
    run: str = ""
    pattern: str = ""
    confidence: str = ""


class ConclusionReinforced(
    Event, frozen=True, kw_only=True, tag="conclusion-reinforced"
):
    """A known conclusion was drawn again, from further evidence (RS 2.5)."""

    session: str | None
    id: str
    observed: str
    occurred_at: datetime
    engine: Engine
    evidence: tuple[Evidence, ...] = ()
    generation: int = 1
    derivation: str = ""
    run: str = ""


class ConclusionReworded(
    ConclusionReinforced, frozen=True, kw_only=True, tag="conclusion-reworded"
):
    """A known conclusion was drawn again, told in words it was not always told in.

    Those who heard it hold it in these from then on if they are ``fuller``; who hears
    it first holds it in them in any case. It is known by ``content_key``, too.
    """

    sealed_for: ClassVar[tuple[str | None, str | None]] = ("session", "observed")

    content: Personal[str]
    content_key: Personal[str]
    level: Level = "explicit"
    fuller: bool = False


class ConclusionRetracted(Event, frozen=True, kw_only=True, tag="conclusion-retracted"):
    """A conclusion no longer holds for ``observer``, or for anyone if that is None.

    ``session`` and ``id`` are those it was derived under. ``reason`` is a fixed
    phrase, never a person's words; ``actor`` is who retracted it. Drawn again later,
    it is a new conclusion.

    ``unit`` is the act it belongs to, with which it can be undone
    (``domain/retraction.py``); what has none can not. ``because`` is the conclusion
    that fell and took this one along, ``superseded_by`` the one that says it right.
    """

    session: str | None
    id: str
    observer: str | None = None
    reason: str
    actor: str
    unit: str = ""
    because: str | None = None
    superseded_by: str | None = None


class ConclusionReinstated(
    Event, frozen=True, kw_only=True, tag="conclusion-reinstated"
):
    """A conclusion holds again for all who lost it by ``unit``, as they held it.

    ``session``, ``id`` and ``observer`` are those it was retracted with. Who concluded
    it anew meanwhile keeps that instead.
    """

    session: str | None
    id: str
    observer: str | None = None
    unit: str
    reason: str
    actor: str


class Conclusions(msgspec.Struct, frozen=True):
    """What decisions need to know of one stream of conclusions.

    ``known`` maps (level, observed, content key) to the id of the conclusion that
    holds for whoever heard; one made for a single observer is not among them, unless
    it was inferred.
    ``retracted`` are ids with the observer they were retracted for, None for all, and
    the unit that did; ``anew`` are those of them who concluded it again since;
    ``dropped`` are the keys under which conclusions are known again once they are
    reinstated; ``reworded`` are those that were put in several words.
    """

    known: dict[tuple[str, str, str], str] = {}
    retracted: dict[tuple[str, str | None], str] = {}
    anew: frozenset[tuple[str, str | None]] = frozenset()
    dropped: dict[str, tuple[tuple[str, str, str], ...]] = {}
    reworded: frozenset[str] = frozenset()


class Near(msgspec.Struct, frozen=True):
    """A fact that means the same: the key of its text, and whether this says more."""

    key: str
    fuller: bool


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One fact an engine found, before it is known to be new or known.

    ``sources`` are conclusions it was built on, by the ids they were derived under;
    ``near`` is a known one, or one found before it, that it only says again.
    """

    id: str
    observed: str
    content: str
    occurred_at: datetime
    evidence: tuple[Evidence, ...]
    level: Level = "explicit"
    sources: tuple[str, ...] = ()
    pattern: str = ""
    confidence: str = ""
    near: Near | None = None


def evolve_conclusions(state: Conclusions, event: Event) -> Conclusions:
    """Fold one event into the state; events of other aggregates change nothing."""
    match event:
        case ConclusionDerived() if event.observer is None or event.run:
            key = (event.level, event.observed, event.content_key)
            known = {**state.known, key: event.id}
            return msgspec.structs.replace(state, known=known)
        case ConclusionRetracted():
            return _without(state, event)
        case ConclusionReinstated():
            return _again(state, event)
        case ConclusionReinforced():
            return _reinforced(state, event)
        case _:
            return state


def _reinforced(state: Conclusions, event: ConclusionReinforced) -> Conclusions:
    if isinstance(event, ConclusionReworded):
        key = (event.level, event.observed, event.content_key)
        state = msgspec.structs.replace(
            state,
            known={key: event.id, **state.known},
            reworded=state.reworded | {event.id},
        )
    if not state.retracted:
        return state
    # Whoever retracted it may hold it anew.
    anew = {each for each in state.retracted if each[0] == event.id}
    return msgspec.structs.replace(state, anew=state.anew | anew)


def _without(state: Conclusions, event: ConclusionRetracted) -> Conclusions:
    named = (event.id, event.observer)
    retracted = {**state.retracted, named: event.unit}
    anew = state.anew - {named}
    if event.observer is not None:
        return msgspec.structs.replace(state, retracted=retracted, anew=anew)
    keys = tuple(key for key, id_ in state.known.items() if id_ == event.id)
    dropped = {event.id: keys} if keys else {}
    if event.reason == EVIDENCE_ERASED:
        retracted[event.id, None] = EVIDENCE_ERASED
        dropped = {}
    return Conclusions(
        {key: id_ for key, id_ in state.known.items() if id_ != event.id},
        retracted,
        anew,
        {**state.dropped, **dropped},
        state.reworded,
    )


def _again(state: Conclusions, event: ConclusionReinstated) -> Conclusions:
    named = (event.id, event.observer)
    retracted = {e: unit for e, unit in state.retracted.items() if e != named}
    anew = state.anew - {named}
    keys = state.dropped.get(event.id) if event.observer is None else None
    if keys is None:
        return msgspec.structs.replace(state, retracted=retracted, anew=anew)
    # What was concluded anew meanwhile is what a further saying reinforces.
    known = {**dict.fromkeys(keys, event.id), **state.known}
    dropped = {id_: k for id_, k in state.dropped.items() if id_ != event.id}
    return Conclusions(known, retracted, anew, dropped, state.reworded)


def retract_conclusion(
    state: Conclusions, event: ConclusionRetracted
) -> list[ConclusionRetracted]:
    """Retract it, once; what is retracted for everybody is so for each.

    What rested on nothing but what is erased goes for good, retracted before or not.
    """
    if event.reason == EVIDENCE_ERASED:
        before = state.retracted.get((event.id, None))
        return [] if before == EVIDENCE_ERASED else [event]
    if is_retracted(state, event.id, event.observer):
        return []
    return [event]


def is_retracted(
    state: Conclusions, conclusion: str, observer: str | None = None
) -> bool:
    """Tell whether a conclusion of this stream holds no more for the observer.

    Without an observer: whether it was retracted for everybody. Nothing may be built
    on such a one (RS 13.1 W22).
    """
    gone = {(conclusion, None), (conclusion, observer)} - state.anew
    return not state.retracted.keys().isdisjoint(gone)


def content_key(content: str) -> str:
    """Normalise a text so that equal conclusions meet: trimmed, lower (RS 2.5)."""
    return content.strip().lower()
