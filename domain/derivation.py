"""Derivation of one session: which messages were reasoned about, with what result."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from domain.event import Engine, Event

Reason = Literal["nothing-to-extract", "not-observed", "no-usable-answer"]


class DerivationCompleted(Event, frozen=True, kw_only=True, tag="derivation-completed"):
    """Messages ``first_seq``..``last_seq`` were reasoned about, each exactly once.

    ``handled`` counts, per author, the messages that asked for reasoning; an empty
    ``conclusions`` says why in ``reason`` (RS 13.1 W3): failure is never "no facts".
    "no-usable-answer" says that what a model answered on some of them, asked again
    and again, was none; attempts before were ``DerivationFailed``.
    """

    session: str
    first_seq: int
    last_seq: int
    handled: dict[str, int]
    conclusions: tuple[str, ...]
    engine: Engine
    reason: Reason | None = None
    generation: int = 1
    derivation: str = ""


class DerivationFailed(Event, frozen=True, kw_only=True, tag="derivation-failed"):
    """An attempt on these messages failed; they stay pending and redrivable."""

    session: str
    first_seq: int
    last_seq: int
    attempt: int
    error: str
    engine: Engine
    generation: int = 1


class Derivation(msgspec.Struct, frozen=True):
    """How far a session is derived: the number of the last message handled."""

    through_seq: int = 0
    failures: int = 0


class Considered(msgspec.Struct, frozen=True):
    """One message that was reasoned about; ``derive`` says whether that was asked."""

    seq: int
    author: str
    derive: bool


def evolve_derivation(state: Derivation, event: Event) -> Derivation:
    """Fold one event into the state; events of other aggregates change nothing."""
    match event:
        case DerivationCompleted():
            return Derivation(through_seq=event.last_seq)
        case DerivationFailed():
            return Derivation(state.through_seq, event.attempt)
        case _:
            return state


def complete(
    state: Derivation,
    named: tuple[str, str],
    messages: Sequence[Considered],
    conclusions: tuple[str, ...],
    engine: Engine,
    derivation: str,
    *,
    unanswered: bool = False,
) -> list[DerivationCompleted]:
    """Record that the messages are handled; those handled before do not count again.

    ``conclusions`` are the ids drawn from the messages that remain; ``unanswered``
    says that nobody knows what else they tell.
    """
    fresh = [each for each in messages if each.seq > state.through_seq]
    if not fresh:
        return []
    workspace, session = named
    handled = Counter(each.author for each in fresh if each.derive)
    reason: Reason | None = None
    if unanswered:
        reason = "no-usable-answer"
    elif not conclusions:
        reason = "nothing-to-extract" if handled else "not-observed"
    return [
        DerivationCompleted(
            workspace=workspace,
            session=session,
            first_seq=fresh[0].seq,
            last_seq=fresh[-1].seq,
            handled=dict(handled),
            conclusions=conclusions,
            engine=engine,
            reason=reason,
            derivation=derivation,
        )
    ]


def fail(
    state: Derivation,
    named: tuple[str, str],
    numbers: tuple[int, int],
    error: str,
    engine: Engine,
) -> list[DerivationFailed]:
    """Record that an attempt on the messages of these numbers failed.

    ``error`` is a word for the record, never content. What was handled meanwhile did
    not fail.
    """
    first, last = numbers
    if last <= state.through_seq:
        return []
    workspace, session = named
    return [
        DerivationFailed(
            workspace=workspace,
            session=session,
            first_seq=first,
            last_seq=last,
            attempt=state.failures + 1,
            error=error,
            engine=engine,
        )
    ]
