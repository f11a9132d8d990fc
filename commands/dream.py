"""Schedule a dream, and record how it goes on and ends."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from commands.decide import Decide, Reason
from commands.identity import processor_command
from commands.living import Source, decide_if_living
from commands.parents import check_settled, watch_named_workspace, watch_peer
from commands.ports import Appended
from commands.proposal import Proposal
from commands.watched import Watched
from commands.write import Write, Written
from domain.dream import (
    DreamCancelled,
    DreamCompleted,
    DreamFailed,
    DreamKind,
    DreamScheduled,
    DreamStarted,
    SpecialistCompleted,
)
from domain.dreaming import (
    Dreams,
    cancel_dream,
    complete_specialist,
    evolve_dreams,
    fail_dream,
    start_dream,
)
from domain.dreaming import complete_dream as complete
from domain.dreaming import schedule_dream as schedule
from domain.errors import NotFound, Refused
from domain.event import Event
from domain.names import Stream, check_pair, dream_stream, is_reserved, public_id
from domain.observed import refuse_unobservable
from domain.peer import Peer
from domain.recorded import Cause


class ScheduleDream(msgspec.Struct, frozen=True, kw_only=True):
    """Go over what ``observer`` holds of ``observed``; neither need exist (HC E07)."""

    workspace: str
    observer: str
    observed: str
    kind: DreamKind
    rebuild: bool
    session: str | None


class CompleteDream(msgspec.Struct, frozen=True, kw_only=True):
    """A dream ended as the event says; ``name`` identifies the command.

    ``position`` is where in the log the dream was scheduled.
    """

    name: str
    position: int
    event: DreamCompleted
    cause: Cause


class ScheduleDueDream(msgspec.Struct, frozen=True, kw_only=True):
    """A dream is to come by itself, as the event says; its id is made from ``name``.

    ``position`` is that of what led to it.
    """

    name: str
    position: int
    event: DreamScheduled
    cause: Cause


Advance = (
    DreamStarted | SpecialistCompleted | DreamFailed | DreamCompleted | DreamCancelled
)


class AdvanceDream(msgspec.Struct, frozen=True, kw_only=True):
    """This happened to a dream that was scheduled at ``position`` of the log."""

    position: int
    event: Advance
    cause: Cause


def watch_dreams(workspace: str, observer: str, observed: str) -> Watched[Dreams]:
    """Look at the dreams of a pair.

    Raises:
        Invalid: a name cannot even be stored.
    """
    check_pair(workspace, observer, observed)
    stream = dream_stream(workspace, observer, observed)
    return Watched(stream, Dreams(), evolve_dreams)


async def schedule_dream(
    write: Write, command: ScheduleDream, reason: Reason
) -> Written[Dreams]:
    """Schedule it, unless an equal one waits or runs.

    Raises:
        Refused: this deployment does not dream.
        Invalid: a scope, or what may become one, would be observed.
        NotFound: there is no such workspace.
    """
    if not write.limits.dreams:
        raise Refused("Dreams are not enabled in the system configuration")
    dreams = watch_dreams(command.workspace, command.observer, command.observed)
    workspace = watch_named_workspace(command.workspace)
    reserved: tuple[Watched[Peer], ...] = ()
    if is_reserved(command.observed):
        reserved = (watch_peer(command.workspace, command.observed),)
    scheduled = _scheduled(command, write.new_id(), write.clock())

    def decision(proposal: Proposal) -> None:
        for peer in reserved:
            refuse_unobservable(proposal.state(peer), command.observed)
        check_settled(proposal, workspace)
        if not proposal.state(workspace).exists:
            raise NotFound(f"Workspace {command.workspace} not found")
        proposal.record(dreams, schedule(proposal.state(dreams), scheduled))

    return await write(dreams, (workspace, *reserved), decision, reason)


async def schedule_due_dream(
    decide: Decide, command: ScheduleDueDream
) -> Appended | None:
    """Append ``DreamScheduled``; None if an equal one waits or runs.

    Raises:
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    identity = processor_command(command.event.workspace, command.name)
    id_ = public_id(identity.id.bytes, 0)
    event = msgspec.structs.replace(command.event, id=id_)
    dreams = watch_dreams(event.workspace, event.observer, event.observed)

    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        return {dreams.stream: schedule(states[0], event)}

    cause = msgspec.structs.replace(command.cause, command_id=identity.id)
    source = Source(event.workspace, None, command.position)
    return await decide_if_living(
        decide, source, (dreams,), decision, Reason(cause, identity)
    )


async def complete_dream(decide: Decide, command: CompleteDream) -> Appended | None:
    """Append ``DreamCompleted``; None if it had ended, or its workspace is erased.

    Raises:
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    identity = processor_command(command.event.workspace, command.name)
    cause = msgspec.structs.replace(command.cause, command_id=identity.id)
    return await _advance(
        decide, command.event, command.position, Reason(cause, identity)
    )


async def advance_dream(decide: Decide, command: AdvanceDream) -> Appended | None:
    """Append what happened to a dream; None if it does not follow from what is.

    That it has begun, or a specialist is done, is recorded once for an attempt.

    Raises:
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    return await _advance(
        decide, command.event, command.position, Reason(command.cause)
    )


async def _advance(
    decide: Decide, event: Advance, position: int, reason: Reason
) -> Appended | None:
    dreams = watch_dreams(event.workspace, event.observer, event.observed)

    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        return {dreams.stream: _follows(states[0], event)}

    source = Source(event.workspace, None, position)
    return await decide_if_living(decide, source, (dreams,), decision, reason)


def _follows(state: Dreams, event: Advance) -> Sequence[Event]:
    match event:
        case DreamStarted():
            return start_dream(state, event)
        case SpecialistCompleted():
            return complete_specialist(state, event)
        case DreamFailed():
            return fail_dream(state, event)
        case DreamCompleted():
            return complete(state, event)
        case DreamCancelled():
            return cancel_dream(state, event.id, event.reason)


def _scheduled(command: ScheduleDream, id_: str, now: datetime) -> DreamScheduled:
    return DreamScheduled(
        workspace=command.workspace,
        id=id_,
        observer=command.observer,
        observed=command.observed,
        kind=command.kind,
        scheduled_at=now,
        rebuild=command.rebuild,
        named_session=command.session,
    )
