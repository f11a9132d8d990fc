"""A dream: going over what one peer holds of another, for what follows from it (RS 6).

At most one dream of a kind waits or runs for a pair. It waits for a deadline that is
in the log, so nothing is lost with a process (RS 13.1 W4, W5). It is over when it is
completed, given up or cancelled; only a completed one counts as dreamt (W6).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from domain.event import Engine, Event

DreamKind = Literal["omni", "card_refresh"]
DreamReason = Literal["engine-does-not-dream", "nothing-to-conclude"]
Trigger = Literal["asked", "threshold", "scope"]
Specialist = Literal["deduction", "induction", "card_refresh"]
CancelReason = Literal["disabled", "dreamt-meanwhile", "asked-for-now"]

SPECIALISTS: Mapping[DreamKind, tuple[Specialist, ...]] = {
    "omni": ("deduction", "induction"),
    "card_refresh": ("card_refresh",),
}
"""Who works in a dream, one after the other (RS 6.2)."""


class DreamScheduled(Event, frozen=True, kw_only=True, tag="dream-scheduled"):
    """A dream is to come; ``named_session`` is kept as it was said (HC E07).

    ``rebuild`` wants a card made anew from conclusions alone. ``trigger`` is what led
    to it: somebody asked, enough was concluded, or a scope holds other sessions;
    ``counted`` are the explicit conclusions since the last dream. Unless it was asked
    for it waits until ``due_at``, and as long as there is no rest.
    """

    id: str
    observer: str
    observed: str
    kind: DreamKind
    scheduled_at: datetime
    rebuild: bool = False
    named_session: str | None = None
    trigger: Trigger = "asked"
    due_at: datetime | None = None
    counted: int = 0


class DreamCancelled(Event, frozen=True, kw_only=True, tag="dream-cancelled"):
    """A dream that had not begun will not be had."""

    id: str
    observer: str
    observed: str
    kind: DreamKind
    reason: CancelReason


class DreamStarted(Event, frozen=True, kw_only=True, tag="dream-started"):
    """An attempt at a dream begins; it reads the log up to ``position``.

    What broke off without an end is gone on with in the same attempt.
    """

    id: str
    observer: str
    observed: str
    kind: DreamKind
    attempt: int
    position: int
    started_at: datetime


class SpecialistCompleted(
    Event, frozen=True, kw_only=True, tag="dream-specialist-completed"
):
    """One who works in a dream is done; what was changed stands beside it.

    It read the log up to ``position``; the next one reads it up to ``through``.
    ``created`` and ``deleted`` count conclusions by level, ``reinforced`` those that
    were known; ``card_changes`` counts lines. ``refused`` are single things it wanted
    and might not; ``hints`` counts outliers it was pointed at, ``no_hints`` says why
    at none. ``tool_calls`` count by tool; ``ended`` says whether it came to an
    end by itself. ``engine`` tells model, prompt, usage and what the calls took.
    """

    id: str
    observer: str
    observed: str
    attempt: int
    specialist: Specialist
    position: int
    through: int
    engine: Engine
    iterations: int = 0
    tool_calls: dict[str, int] = {}
    created: dict[str, int] = {}
    reinforced: int = 0
    deleted: dict[str, int] = {}
    card_changes: int = 0
    refused: int = 0
    hints: int = 0
    no_hints: str = ""
    ended: str = "answered"


class DreamCompleted(Event, frozen=True, kw_only=True, tag="dream-completed"):
    """A dream is over; what it changed stands beside it as events of their own.

    ``reason`` says why ``changes`` is nothing: a failure is never an empty dream.
    ``position`` is how far all who worked in it had read: what was concluded since
    counts for the next. Counts are as in ``SpecialistCompleted``, of them all.
    """

    id: str
    observer: str
    observed: str
    kind: DreamKind
    engine: Engine
    changes: int = 0
    reason: DreamReason | None = None
    attempt: int = 0
    position: int = 0
    completed_at: datetime | None = None
    created: dict[str, int] = {}
    deleted: dict[str, int] = {}
    card_changes: int = 0
    tool_calls: dict[str, int] = {}


class DreamFailed(Event, frozen=True, kw_only=True, tag="dream-failed"):
    """An attempt came to nothing, at this specialist; ``error`` is a word.

    ``done`` are those who had finished before, ``created``, ``deleted`` and
    ``card_changes`` what the failed one had changed by then. It is tried again at
    ``retry_at``; without that it is given up.
    """

    id: str
    observer: str
    observed: str
    kind: DreamKind
    attempt: int
    specialist: Specialist
    error: str
    failed_at: datetime
    retry_at: datetime | None = None
    done: tuple[Specialist, ...] = ()
    created: dict[str, int] = {}
    deleted: dict[str, int] = {}
    card_changes: int = 0
