"""Derivation of one session: which messages were reasoned about, with what result."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from domain.event import Engine, Event

Reason = Literal["nothing-to-extract", "not-observed", "no-usable-answer"]

Asked = Literal["flush", "age", "redrive"]
"""Why messages are not to wait: somebody wants it, they waited long, or failed."""


class DerivationRequested(Event, frozen=True, kw_only=True, tag="derivation-requested"):
    """Messages up to ``through_seq`` are to be reasoned about without waiting on.

    ``first_seq`` is the first that waited then.
    """

    session: str
    first_seq: int
    through_seq: int
    reason: Asked


class DerivationCompleted(Event, frozen=True, kw_only=True, tag="derivation-completed"):
    """Messages ``first_seq``..``last_seq`` were reasoned about, each exactly once.

    ``handled`` counts, per author, the messages that asked for reasoning; an empty
    ``conclusions`` says why in ``reason`` (RS 13.1 W3): failure is never "no facts".
    "no-usable-answer" says that what a model answered on them, asked again and again,
    was none; attempts before were ``DerivationFailed``. ``attempt`` counts those and
    this one, None where that was not recorded. ``refused`` counts facts that are not
    recorded because they rest on nothing, ``invented`` single premises that were not
    there or not what such a fact may rest on (RS 13.1 W22, 14). ``again``: they had
    been passed over before and were redriven.
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
    again: bool = False


class DerivationFailed(Event, frozen=True, kw_only=True, tag="derivation-failed"):
    """An attempt on these messages failed; they stay pending and redrivable.

    ``retry_at`` is when the next is due, None where that was not recorded; ``parked``
    ones are not tried again by themselves.
    """

    session: str
    first_seq: int
    last_seq: int
    attempt: int
    error: str
    engine: Engine
    generation: int = 1
    retry_at: datetime | None = None
    parked: bool = False
    again: bool = False


class DerivationRedriven(Event, frozen=True, kw_only=True, tag="derivation-redriven"):
    """Messages that were passed over are to be reasoned about after all.

    ``handled`` is what they counted for when they were.
    """

    session: str
    first_seq: int
    last_seq: int
    handled: dict[str, int]


class Range(msgspec.Struct, frozen=True):
    """Messages passed over, or redriven since: their numbers and what they count for.

    ``failures`` and ``unusable`` count attempts since they were redriven.
    """

    first_seq: int
    last_seq: int
    handled: dict[str, int]
    failures: int = 0
    unusable: int = 0

    @property
    def numbers(self) -> tuple[int, int]:
        return self.first_seq, self.last_seq


class Derivation(msgspec.Struct, frozen=True):
    """How far a session is derived: the number of the last message handled.

    ``failures`` counts attempts on what comes next, of which those before it was
    redriven are ``forgiven``; ``unusable`` counts those since at which an engine did
    answer. Up to ``asked_seq`` nothing is to wait.
    """

    through_seq: int = 0
    failures: int = 0
    unusable: int = 0
    forgiven: int = 0
    asked_seq: int = 0
    passed_over: tuple[Range, ...] = ()
    redriven: tuple[Range, ...] = ()

    def redriven_range(self, numbers: tuple[int, int]) -> Range | None:
        """Return the range of these numbers that waits to be derived again."""
        return _range(self.redriven, numbers)


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
            return _completed(state, event)
        case DerivationFailed(again=False):
            unusable = state.unusable + _answered(event.error)
            return msgspec.structs.replace(
                state, failures=event.attempt, unusable=unusable
            )
        case DerivationFailed():
            return _failed_again(state, event)
        case DerivationRequested():
            asked = max(state.asked_seq, event.through_seq)
            if event.reason == "redrive":
                state = msgspec.structs.replace(
                    state, forgiven=state.failures, unusable=0
                )
            return msgspec.structs.replace(state, asked_seq=asked)
        case DerivationRedriven():
            numbers = (event.first_seq, event.last_seq)
            return msgspec.structs.replace(
                state,
                passed_over=_without(state.passed_over, numbers),
                redriven=(*state.redriven, Range(*numbers, event.handled)),
            )
        case _:
            return state


def _completed(state: Derivation, event: DerivationCompleted) -> Derivation:
    numbers = (event.first_seq, event.last_seq)
    passed_over = state.passed_over
    if event.reason == "no-usable-answer":
        passed_over = (*passed_over, Range(*numbers, event.handled))
    if event.again:
        redriven = _without(state.redriven, numbers)
        return msgspec.structs.replace(
            state, passed_over=passed_over, redriven=redriven
        )
    return msgspec.structs.replace(
        state,
        through_seq=event.last_seq,
        failures=0,
        unusable=0,
        forgiven=0,
        passed_over=passed_over,
    )


def _failed_again(state: Derivation, event: DerivationFailed) -> Derivation:
    numbers = (event.first_seq, event.last_seq)
    redriven = tuple(
        msgspec.structs.replace(
            each,
            failures=event.attempt,
            unusable=each.unusable + _answered(event.error),
        )
        if each.numbers == numbers
        else each
        for each in state.redriven
    )
    return msgspec.structs.replace(state, redriven=redriven)


def _answered(error: str) -> int:
    """Count an attempt at which an engine answered, though of no use."""
    return int(error == "malformed" or error.startswith("refused"))


def _range(ranges: Sequence[Range], numbers: tuple[int, int]) -> Range | None:
    return next((each for each in ranges if each.numbers == numbers), None)


def _without(ranges: Sequence[Range], numbers: tuple[int, int]) -> tuple[Range, ...]:
    return tuple(each for each in ranges if each.numbers != numbers)
