"""A session's summaries: contiguous ranges, one chain for each kind (RS 4)."""

from datetime import datetime
from typing import ClassVar

import msgspec

from domain.event import Engine, Event, Personal
from domain.session import SummaryKind

SUMMARY_TOKENS: dict[SummaryKind, int] = {"short": 1_000, "long": 4_000}
"""Most o200k_base tokens a summary of each kind may have (RS 0)."""


class SummaryProduced(Event, frozen=True, kw_only=True, tag="summary-produced"):
    """The conversation up to ``to_seq`` is summed up; ``parent`` is what it absorbed.

    ``message`` is the public id of the last message covered; ``tokens`` are
    o200k_base.
    """

    sealed_for: ClassVar[tuple[str | None, str | None]] = ("session", None)

    session: str
    id: str
    kind: SummaryKind
    from_seq: int
    to_seq: int
    message: str
    content: Personal[str]
    tokens: int
    created_at: datetime
    engine: Engine
    parent: str | None = None


class SummaryOmitted(Event, frozen=True, kw_only=True, tag="summary-omitted"):
    """A summary fell due, and nothing said up to ``to_seq`` is worth summing up.

    What it would have covered is left to the next one.
    """

    session: str
    kind: SummaryKind
    from_seq: int
    to_seq: int
    engine: Engine


class SummaryRetracted(Event, frozen=True, kw_only=True, tag="summary-retracted"):
    """The newest summary of a kind tells of what was taken back with ``unit``.

    The chain stands at ``fallback`` again, which covers up to ``fallback_seq`` and
    absorbed nothing of it; None if there is no such summary.
    """

    session: str
    id: str
    kind: SummaryKind
    fallback: str | None = None
    fallback_seq: int = 0
    unit: str
    reason: str
    actor: str


class SummaryReinstated(Event, frozen=True, kw_only=True, tag="summary-reinstated"):
    """A summary that was withdrawn by ``unit`` is the newest of its kind again."""

    session: str
    id: str
    kind: SummaryKind
    to_seq: int
    unit: str
    reason: str
    actor: str


class Summary(msgspec.Struct, frozen=True):
    """The newest summary of one kind: what the next one absorbs.

    Up to ``answered`` nothing is owed: it is summed up, or was not worth it. Where the
    newest is one of before, its ``content`` is None: whoever absorbs it reads it in
    the stream. ``withdrawn`` are summaries and the units that hold them back.
    """

    id: str | None = None
    to_seq: int = 0
    content: str | None = ""
    answered: int = 0
    withdrawn: dict[str, str] = {}


def evolve_summary(state: Summary, event: Event) -> Summary:
    """Fold one event into the state; events of other aggregates change nothing."""
    match event:
        case SummaryProduced():
            newest = (event.id, event.to_seq, event.content, event.to_seq)
            return Summary(*newest, state.withdrawn)
        case SummaryOmitted():
            return msgspec.structs.replace(state, answered=event.to_seq)
        case SummaryRetracted() if event.id == state.id:
            content = "" if event.fallback is None else None
            last = event.fallback_seq
            withdrawn = {**state.withdrawn, event.id: event.unit}
            return Summary(event.fallback, last, content, last, withdrawn)
        case SummaryReinstated():
            still = {i: unit for i, unit in state.withdrawn.items() if i != event.id}
            return Summary(event.id, event.to_seq, None, event.to_seq, still)
        case _:
            return state


def produce(state: Summary, event: SummaryProduced) -> list[SummaryProduced]:
    """Record a summary that continues the chain where it stands, and no other.

    What was covered meanwhile is not covered again, and no gap can open (RS 4): one
    may begin later only behind what was not worth summing up.
    """
    continues = _continues(state, event) and event.parent == state.id
    return [event] if continues and event.to_seq >= event.from_seq else []


def omit(state: Summary, event: SummaryOmitted) -> list[SummaryOmitted]:
    """Record that nothing is to be summed up, unless that is answered already."""
    owed = _continues(state, event) and event.to_seq > state.answered
    return [event] if owed else []


def withdraw_summary(state: Summary, event: SummaryRetracted) -> list[SummaryRetracted]:
    """Withdraw it while it is the newest; another was then made without knowing."""
    return [event] if state.id == event.id else []


def reinstate_summary(
    state: Summary, event: SummaryReinstated, fallback: str | None
) -> list[SummaryReinstated]:
    """Reinstate it, unless it was summed up anew since, or is erased."""
    known = state.withdrawn.get(event.id) == event.unit
    return [event] if known and state.id == fallback else []


def _continues(state: Summary, event: SummaryProduced | SummaryOmitted) -> bool:
    return event.from_seq in {state.to_seq + 1, state.answered + 1}
