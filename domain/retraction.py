"""Taking back: what one act took from memory, as a unit that can be undone.

Retracting, correcting and quarantining all are such acts (RS 13.1 W22, W23): the
streams of what is taken say so each for itself, in one append with the record here.
"""

from typing import Any, ClassVar, Literal

import msgspec

from domain.event import Event, Personal
from domain.session import SummaryKind

RetractionKind = Literal["retract", "correct", "quarantine", "delete"]

MOST_TAKEN = 10_000
"""Most conclusions, summaries and messages one unit may take: they go in one append."""


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
    """A summary that was withdrawn."""

    id: str
    session: str
    kind: SummaryKind


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
    ``corrected_by`` the conclusion that says it right.
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
            return msgspec.structs.replace(state, undone=True)
        case _:
            return state
