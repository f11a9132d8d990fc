"""A dream: going over what one peer holds of another, for what follows from it (RS 6).

At most one dream of a kind waits or runs for a pair: asking for it again is nothing.
"""

from datetime import datetime
from typing import Literal

import msgspec

from domain.event import Engine, Event

DreamKind = Literal["omni", "card_refresh"]
DreamReason = Literal["engine-does-not-dream", "nothing-to-conclude"]


class DreamScheduled(Event, frozen=True, kw_only=True, tag="dream-scheduled"):
    """A dream is asked for; ``named_session`` is kept as it was said (HC E07).

    ``rebuild`` wants a card made anew from conclusions alone.
    """

    id: str
    observer: str
    observed: str
    kind: DreamKind
    scheduled_at: datetime
    rebuild: bool = False
    named_session: str | None = None


class DreamCompleted(Event, frozen=True, kw_only=True, tag="dream-completed"):
    """A dream is over; what it changed stands beside it as events of their own.

    ``reason`` says why ``changes`` is nothing: a failure is never an empty dream.
    """

    id: str
    observer: str
    observed: str
    kind: DreamKind
    engine: Engine
    changes: int = 0
    reason: DreamReason | None = None


class Dreams(msgspec.Struct, frozen=True):
    """The dreams of a pair that wait or run, by kind and names: their ids."""

    waiting: dict[tuple[DreamKind, str, str], str] = {}


def evolve_dreams(state: Dreams, event: Event) -> Dreams:
    """Fold one event into the state; events of other aggregates change nothing."""
    match event:
        case DreamScheduled():
            return Dreams({**state.waiting, _job(event): event.id})
        case DreamCompleted():
            rest = {job: id_ for job, id_ in state.waiting.items() if id_ != event.id}
            return Dreams(rest)
        case _:
            return state


def schedule_dream(state: Dreams, event: DreamScheduled) -> list[DreamScheduled]:
    """Schedule it unless an equal one waits or runs (HC E07)."""
    return [] if _job(event) in state.waiting else [event]


def complete_dream(state: Dreams, event: DreamCompleted) -> list[DreamCompleted]:
    """End a dream that waits or runs; one that ended before stays as it ended."""
    return [event] if event.id in state.waiting.values() else []


def _job(event: DreamScheduled) -> tuple[DreamKind, str, str]:
    return event.kind, event.observer, event.observed
