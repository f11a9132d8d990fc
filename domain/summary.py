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


class Summary(msgspec.Struct, frozen=True):
    """The newest summary of one kind: what the next one absorbs."""

    id: str | None = None
    to_seq: int = 0
    content: str = ""


def evolve_summary(state: Summary, event: Event) -> Summary:
    """Fold one event into the state; events of other aggregates change nothing."""
    if isinstance(event, SummaryProduced):
        return Summary(event.id, event.to_seq, event.content)
    return state


def produce(state: Summary, event: SummaryProduced) -> list[SummaryProduced]:
    """Record a summary that continues the chain where it stands, and no other.

    What was covered meanwhile is not covered again, and no gap can open (RS 4).
    """
    continues = event.from_seq == state.to_seq + 1 and event.parent == state.id
    return [event] if continues and event.to_seq >= event.from_seq else []
