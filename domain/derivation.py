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
    and again, was none; attempts before were ``DerivationFailed``. ``attempt`` counts
    those and this one, None where that was not recorded. ``refused`` counts facts that
    are not recorded because they rest on nothing, ``invented`` single premises that
    were not there or not what such a fact may rest on (RS 13.1 W22, 14).
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
    attempt: int | None = None
    refused: int = 0
    invented: int = 0


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
    id: str = ""


class Refused(msgspec.Struct, frozen=True):
    """What an engine made up: facts with nothing under them, and single premises."""

    facts: int = 0
    premises: int = 0

    def __add__(self, other: "Refused") -> "Refused":
        """Count both."""
        return Refused(self.facts + other.facts, self.premises + other.premises)


def evolve_derivation(state: Derivation, event: Event) -> Derivation:
    """Fold one event into the state; events of other aggregates change nothing."""
    match event:
        case DerivationCompleted():
            return Derivation(through_seq=event.last_seq)
        case DerivationFailed():
            return Derivation(state.through_seq, event.attempt)
        case _:
            return state


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What reasoning came to, by whom, under which command.

    ``conclusions`` are the ids drawn from messages not handled before; ``unanswered``
    says that nobody knows what else they tell, ``refused`` what an engine made up.
    """

    conclusions: tuple[str, ...]
    engine: Engine
    derivation: str
    unanswered: bool = False
    refused: Refused = Refused()


def complete(
    state: Derivation,
    named: tuple[str, str],
    messages: Sequence[Considered],
    result: Result,
) -> list[DerivationCompleted]:
    """Record that the messages are handled; those handled before do not count again."""
    fresh = [each for each in messages if each.seq > state.through_seq]
    if not fresh:
        return []
    workspace, session = named
    handled = Counter(each.author for each in fresh if each.derive)
    reason: Reason | None = None
    if result.unanswered:
        reason = "no-usable-answer"
    elif not result.conclusions:
        reason = "nothing-to-extract" if handled else "not-observed"
    return [
        DerivationCompleted(
            workspace=workspace,
            session=session,
            first_seq=fresh[0].seq,
            last_seq=fresh[-1].seq,
            handled=dict(handled),
            conclusions=result.conclusions,
            engine=result.engine,
            reason=reason,
            derivation=result.derivation,
            attempt=state.failures + 1,
            refused=result.refused.facts,
            invented=result.refused.premises,
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
