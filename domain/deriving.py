"""Decisions about a session's derivation: done, failed, asked for, asked for again."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from domain.derivation import (
    Asked,
    Considered,
    Derivation,
    DerivationCompleted,
    DerivationFailed,
    DerivationRedriven,
    DerivationRequested,
    Reason,
    Refused,
)
from domain.event import Engine


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
    return [_record(named, fresh, result, state.failures + 1)]


def complete_again(
    state: Derivation,
    named: tuple[str, str],
    messages: Sequence[Considered],
    result: Result,
) -> list[DerivationCompleted]:
    """Record that a redriven range is handled after all, once."""
    waiting = state.redriven_range((messages[0].seq, messages[-1].seq))
    if waiting is None:
        return []
    completed = _record(named, messages, result, waiting.failures + 1)
    # What it counted for is what it counts for again, whatever is withheld since.
    return [msgspec.structs.replace(completed, again=True, handled=waiting.handled)]


def _record(
    named: tuple[str, str],
    messages: Sequence[Considered],
    result: Result,
    attempt: int,
) -> DerivationCompleted:
    handled = Counter(each.author for each in messages if each.derive)
    reason: Reason | None = None
    if result.unanswered:
        reason = "no-usable-answer"
    elif not result.conclusions:
        reason = "nothing-to-extract" if handled else "not-observed"
    return DerivationCompleted(
        workspace=named[0],
        session=named[1],
        first_seq=messages[0].seq,
        last_seq=messages[-1].seq,
        handled=dict(handled),
        conclusions=result.conclusions,
        engine=result.engine,
        reason=reason,
        derivation=result.derivation,
        attempt=attempt,
        refused=result.refused.facts,
        invented=result.refused.premises,
    )


def fail(state: Derivation, event: DerivationFailed) -> list[DerivationFailed]:
    """Record that an attempt on some messages failed, and which attempt it was.

    What was handled meanwhile did not fail.
    """
    failures = state.failures
    if event.again:
        waiting = state.redriven_range((event.first_seq, event.last_seq))
        if waiting is None:
            return []
        failures = waiting.failures
    elif event.last_seq <= state.through_seq:
        return []
    return [msgspec.structs.replace(event, attempt=failures + 1)]


def request(
    state: Derivation, named: tuple[str, str], last_seq: int, reason: Asked
) -> list[DerivationRequested]:
    """Ask for what waits up to a message, unless that is asked for already.

    A ``redrive`` is for what failed: nothing else is to begin anew.
    """
    failed = state.failures > state.forgiven
    wanted = failed if reason == "redrive" else last_seq > state.asked_seq
    if last_seq <= state.through_seq or not wanted:
        return []
    workspace, session = named
    return [
        DerivationRequested(
            workspace=workspace,
            session=session,
            first_seq=state.through_seq + 1,
            through_seq=last_seq,
            reason=reason,
        )
    ]


def redrive(state: Derivation, named: tuple[str, str]) -> list[DerivationRedriven]:
    """Ask for all that was passed over in a session of a workspace."""
    workspace, session = named
    return [
        DerivationRedriven(
            workspace=workspace,
            session=session,
            first_seq=each.first_seq,
            last_seq=each.last_seq,
            handled=each.handled,
        )
        for each in state.passed_over
    ]
