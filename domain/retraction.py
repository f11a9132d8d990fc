"""Taking back: what one act took from memory, as a unit that can be undone.

Retracting, correcting and quarantining all are such acts (RS 13.1 W22, W23): the
streams of what is taken say so each for itself, in one append with the record here.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

from domain.conclusion import (
    EVIDENCE_ERASED,
    ConclusionReinstated,
    Conclusions,
    Level,
)
from domain.configuration import agents_may_retract_explicit
from domain.errors import Conflict, Invalid, NotFound, Refused
from domain.event import Event, Personal
from domain.session import SummaryKind

RetractionKind = Literal["retract", "correct", "quarantine", "delete"]

MAX_NOTE = 1_000
"""Longest of a client's own words why, in characters."""

MOST_TAKEN = 10_000
"""Most conclusions, summaries and messages one unit may take: they go in one append."""


class TooMuch(Invalid):
    """More would go than one unit may take."""


class ExplicitFact(Refused):
    """An agent would retract what a peer said itself (RS 14 item 5)."""


class TakenConclusion(msgspec.Struct, frozen=True, kw_only=True):
    """A conclusion that was retracted, by the id it was derived under.

    ``holder`` and ``observed`` tell its stream where ``session`` is None; ``observer``
    is whom it was retracted for, None for everybody. ``because`` is the conclusion
    that fell and took this one along; without one it was asked for, or rested on what
    was.
    """

    id: str
    session: str | None
    holder: str
    observed: str
    observer: str | None = None
    because: str | None = None


class TakenSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A summary that was withdrawn, and the one its chain fell back to, if any.

    ``to_seq`` and ``fallback_seq`` are the numbers of the last messages they cover.
    """

    id: str
    session: str
    kind: SummaryKind
    to_seq: int = 0
    fallback: str | None = None
    fallback_seq: int = 0


class TakenMessages(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one session that are withheld from recall, by their public ids."""

    session: str
    ids: tuple[str, ...]


class KeptConclusion(msgspec.Struct, frozen=True, kw_only=True):
    """A conclusion that lost something it rests on, and stands without it.

    ``lost`` is a conclusion or message it rested on.
    """

    id: str
    lost: str


class RetractionRecorded(Event, frozen=True, kw_only=True, tag="retraction-recorded"):
    """All of this was taken back in one act, to which its other events belong.

    ``session`` and ``observed`` are those of the conclusion that was asked for, whose
    key seals the client's own words in ``note``; a quarantine has neither.
    ``filters`` and ``source`` are what a quarantine was asked to select,
    ``corrected_by`` the conclusion that says it right, ``run`` the dream that took it
    back.
    """

    sealed_for: ClassVar[tuple[str | None, str | None]] = ("session", "observed")

    unit: str
    kind: RetractionKind
    actor: str
    session: str | None = None
    observed: str | None = None
    asked: str | None = None
    note: Personal[str | None] = None
    filters: Personal[dict[str, Any]] = {}
    source: dict[str, str] = {}
    conclusions: tuple[TakenConclusion, ...] = ()
    summaries: tuple[TakenSummary, ...] = ()
    messages: tuple[TakenMessages, ...] = ()
    kept: tuple[KeptConclusion, ...] = ()
    corrected_by: str | None = None
    run: str = ""


class RetractionExtended(Event, frozen=True, kw_only=True, tag="retraction-extended"):
    """More fell with a unit: it was built on what the unit took, at the same time."""

    unit: str
    conclusions: tuple[TakenConclusion, ...]


class RetractionUndone(Event, frozen=True, kw_only=True, tag="retraction-undone"):
    """What a unit took holds again, but for ``lost``: that is erased meanwhile.

    ``withdrawn`` are conclusions retracted for it: the one that corrected, and what
    was built on it.
    """

    unit: str
    actor: str
    lost: tuple[str, ...] = ()
    withdrawn: tuple[TakenConclusion, ...] = ()


class Retraction(msgspec.Struct, frozen=True, kw_only=True):
    """What decisions need to know of one unit: what it took, and whether it stands."""

    exists: bool = False
    undone: bool = False
    kind: RetractionKind = "retract"
    session: str | None = None
    observed: str | None = None
    conclusions: tuple[TakenConclusion, ...] = ()
    summaries: tuple[TakenSummary, ...] = ()
    messages: tuple[TakenMessages, ...] = ()
    corrected_by: str | None = None
    lost: tuple[str, ...] = ()
    withdrawn: tuple[TakenConclusion, ...] = ()


def evolve_retraction(state: Retraction, event: Event) -> Retraction:
    """Fold one event into the state; events of other aggregates change nothing."""
    match event:
        case RetractionRecorded():
            return Retraction(
                exists=True,
                kind=event.kind,
                session=event.session,
                observed=event.observed,
                conclusions=event.conclusions,
                summaries=event.summaries,
                messages=event.messages,
                corrected_by=event.corrected_by,
            )
        case RetractionExtended():
            taken = (*state.conclusions, *event.conclusions)
            return msgspec.structs.replace(state, conclusions=taken)
        case RetractionUndone():
            return msgspec.structs.replace(
                state, undone=True, lost=event.lost, withdrawn=event.withdrawn
            )
        case _:
            return state


def within_bounds(taken: int) -> None:
    """Refuse what is too much for one append.

    Raises:
        TooMuch
    """
    if taken > MOST_TAKEN:
        raise TooMuch(
            f"More than {MOST_TAKEN} conclusions, summaries and messages would go at"
            " once. Select fewer."
        )


def check_may_retract(
    level: Level, *, agent: bool, configuration: Mapping[str, Any]
) -> None:
    """Let an agent retract what was concluded; what was said only if it may.

    A workspace says so by ``{"retraction": {"agents_may_retract_explicit": true}}``.

    Raises:
        ExplicitFact
    """
    if agent and level == "explicit" and not agents_may_retract_explicit(configuration):
        raise ExplicitFact("Agents may not retract explicit conclusions here")


def check_exists(state: Retraction, named: tuple[str, str]) -> None:
    """Refuse a (workspace, unit) that never was.

    Raises:
        NotFound
    """
    if not state.exists:
        workspace, unit = named
        raise NotFound(f"Retraction {unit} not found in workspace {workspace}")


def reinstate_conclusion(
    state: Conclusions, taken: TakenConclusion, event: ConclusionReinstated
) -> list[ConclusionReinstated]:
    """Reinstate what a unit took; nothing if it is erased meanwhile.

    Raises:
        Conflict: it was retracted again since, by a unit that stands.
    """
    for observer in (taken.observer, None):
        unit = state.retracted.get((taken.id, observer))
        if unit == EVIDENCE_ERASED:
            return []
        if unit is not None and unit != event.unit:
            raise stands_in_the_way(taken.id, unit)
    if (taken.id, taken.observer) not in state.retracted:
        return []
    return [event]


def stands_in_the_way(conclusion: str, unit: str) -> Conflict:
    """Say which unit must be undone before."""
    if not unit:
        return Conflict(f"Conclusion {conclusion} was deleted since")
    return Conflict(
        f"Conclusion {conclusion} is held back by retraction {unit}. Undo that first."
    )
