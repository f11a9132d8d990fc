"""Record what an engine drew from a run of messages: once, all of it or nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from commands.decide import Decide, Reason
from commands.identity import processor_command
from commands.living import Source, decide_if_living
from commands.parents import watch_named_session
from commands.ports import Appended
from commands.watched import Watched
from domain.concluding import conclude
from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    Conclusions,
    Found,
    evolve_conclusions,
)
from domain.derivation import (
    Considered,
    Derivation,
    DerivationFailed,
    Refused,
    evolve_derivation,
)
from domain.deriving import Result, complete, complete_again, fail
from domain.event import Engine, Event
from domain.names import (
    Stream,
    conclusion_stream,
    derivation_stream,
    public_id,
)
from domain.premises import Premises, check_premises, holding
from domain.recorded import Cause


class RecordDerivation(msgspec.Struct, frozen=True, kw_only=True):
    """These messages of a session were reasoned about, and this was found.

    ``name`` identifies the command within the workspace; ``found`` facts carry no
    ids yet: they are made from it, so the same command yields the same ids. A
    conclusion's cause is that of the newest message it rests on, in ``causes`` by
    number; all else has ``cause``. ``position`` is that of the first message.
    ``unanswered`` says that an engine had no usable answer on some of them;
    ``refused`` is what of its answers rested on nothing it was given. What is left
    is checked again: it is no engine that says what a fact may rest on. ``again``: the
    messages are a range that was passed over, and redriven.
    """

    workspace: str
    session: str
    position: int
    name: str
    messages: tuple[Considered, ...]
    found: tuple[Found, ...]
    engine: Engine
    cause: Cause
    causes: Mapping[int, Cause]
    unanswered: bool = False
    refused: Refused = Refused()
    again: bool = False


class RecordFailure(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt to reason about messages ``first_seq``..``last_seq`` failed.

    ``name`` identifies the attempt within the workspace; ``error`` is a word, never
    content; ``position`` is that of the first message. The next attempt is due at
    ``retry_at``, never by itself if that is None.
    """

    workspace: str
    session: str
    name: str
    first_seq: int
    last_seq: int
    error: str
    engine: Engine
    cause: Cause
    position: int
    retry_at: datetime | None
    again: bool = False


def watch_derivation(workspace: str, session: str) -> Watched[Derivation]:
    """Return how far a session is derived, as a stream to look at."""
    stream = derivation_stream(workspace, session)
    return Watched(stream, Derivation(), evolve_derivation)


def watch_concluded(workspace: str, session: str) -> Watched[Conclusions]:
    """Return what is concluded from a session, as a stream to look at."""
    stream = conclusion_stream(workspace, session)
    return Watched(stream, Conclusions(), evolve_conclusions)


async def record_derivation(
    decide: Decide, command: RecordDerivation
) -> Appended | None:
    """Append ``DerivationCompleted`` and the conclusions; None if done, or erased.

    Messages another delivery handled meanwhile are left out, with what rests on
    them alone; so is what a fact rests on and was not there, and counted.

    Raises:
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    identity = processor_command(command.workspace, command.name)
    named = (command.workspace, command.session)
    derivation = watch_derivation(*named)
    conclusions = watch_concluded(*named)
    found = _with_ids(command.found, identity.id)
    # What it took is said once, with the derivation.
    engine = msgspec.structs.replace(command.engine, usage={}, call=None)
    last = command.messages[-1].seq

    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        done, known, said = states
        rest = (holding(known), said.withheld)
        premises = Premises(command.session, command.messages, *rest)
        true, refused = check_premises(found, premises)
        fresh = _fresh(command, done, true)
        drawn = conclude(known, named, fresh, engine, str(identity.id))
        result = Result(
            conclusions=tuple(dict.fromkeys(event.id for event in drawn)),
            engine=command.engine,
            derivation=str(identity.id),
            unanswered=command.unanswered,
            refused=command.refused + refused,
        )
        record = complete_again if command.again else complete
        completed = record(done, named, command.messages, result)
        return {derivation.stream: completed, conclusions.stream: drawn}

    def cause_of(event: Event) -> Cause:
        cause = command.cause
        if isinstance(event, ConclusionDerived | ConclusionReinforced):
            cause = command.causes[_newest(event, last)]
        return msgspec.structs.replace(cause, command_id=identity.id)

    return await decide_if_living(
        decide,
        Source(*named, command.position),
        (derivation, conclusions, watch_named_session(*named)),
        decision,
        Reason(command.cause, identity, cause_of, is_new=True),
    )


async def record_failure(decide: Decide, command: RecordFailure) -> Appended | None:
    """Append ``DerivationFailed``; None if the messages are handled or erased.

    Raises:
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    identity = processor_command(command.workspace, command.name)
    named = (command.workspace, command.session)
    derivation = watch_derivation(*named)
    event = DerivationFailed(
        workspace=command.workspace,
        session=command.session,
        first_seq=command.first_seq,
        last_seq=command.last_seq,
        attempt=1,
        error=command.error,
        engine=command.engine,
        retry_at=command.retry_at,
        parked=command.retry_at is None,
        again=command.again,
    )

    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        return {derivation.stream: fail(states[0], event)}

    cause = msgspec.structs.replace(command.cause, command_id=identity.id)
    return await decide_if_living(
        decide,
        Source(*named, command.position),
        (derivation,),
        decision,
        Reason(cause, identity),
    )


def _fresh(
    command: RecordDerivation, done: Derivation, found: Sequence[Found]
) -> list[Found]:
    """Return what rests on messages that nobody handled meanwhile."""
    numbers = (command.messages[0].seq, command.messages[-1].seq)
    if command.again:
        return list(found) if done.redriven_range(numbers) is not None else []
    return [f for f in found if _newest(f, numbers[1]) > done.through_seq]


def _with_ids(found: Sequence[Found], command: UUID) -> list[Found]:
    return [
        msgspec.structs.replace(fact, id=public_id(command.bytes, ordinal))
        for ordinal, fact in enumerate(found)
    ]


def _newest(fact: Found | ConclusionDerived | ConclusionReinforced, last: int) -> int:
    """Return the number of the newest message it rests on; inferred, the ``last``."""
    return max((each.seq for each in fact.evidence), default=last)
