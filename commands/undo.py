"""Undo a unit: all it took holds again, and what it put there instead goes."""

from collections.abc import Sequence
from typing import Any

import msgspec

from commands.bringing_back import (
    bring_back_messages,
    bring_back_summaries,
)
from commands.decide import Reason
from commands.parents import (
    check_settled,
    watch_named_session,
    watch_named_workspace,
)
from commands.proposal import Proposal
from commands.reach import Falling, Reach, Unsupported
from commands.taking_back import (
    retract_all,
    watch_all,
    watch_conclusions,
    watch_retraction,
    watch_summary_of,
)
from commands.watched import Watched
from commands.write import Write
from domain.conclusion import (
    ConclusionReinstated,
    ConclusionRetracted,
    is_retracted,
)
from domain.names import is_name
from domain.retraction import (
    Retraction,
    RetractionUndone,
    TakenConclusion,
    check_exists,
    reinstate_conclusion,
    stands_in_the_way,
)

_REASON = "its retraction was undone"
_CORRECTION = "its correction was undone"


class UndoRetraction(msgspec.Struct, frozen=True, kw_only=True):
    """Undo this unit."""

    workspace: str
    unit: str


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """What undoing came to, the first time or again: the unit as it then is."""

    unit: str
    state: Retraction
    position: int


async def undo(
    write: Write, reach: Reach, command: UndoRetraction, reason: Reason
) -> Undone:
    """Reinstate what a unit took, as it was held; done once, it stays done.

    What is erased meanwhile, or rests on what is, does not come back and is told. To
    take it back once more is a new unit.

    Raises:
        NotFound: there is no such unit.
        Conflict: something of it is held back by another unit, or would rest on what
            is; that one must be undone before.
    """
    watch_named_workspace(command.workspace)
    if not is_name(command.unit):
        check_exists(Retraction(), (command.workspace, command.unit))
    while True:
        unit = watch_retraction(command.workspace, command.unit)
        taken = await write.decide.look(unit)
        unsupported = await reach.unsupported(
            command.workspace, command.unit, taken.conclusions
        )
        instead = await _instead(reach, command.workspace, taken)
        try:
            return await _undo(write, command, (taken, unsupported, instead), reason)
        except _More:
            continue


class _More(Exception):  # noqa: N818  says what happened
    """More fell with the unit since we looked."""


async def _undo(
    write: Write,
    command: UndoRetraction,
    seen: tuple[Retraction, Sequence[Unsupported], Falling],
    reason: Reason,
) -> Undone:
    taken, unsupported, instead = seen
    workspace = command.workspace
    unit = watch_retraction(workspace, command.unit)
    place = watch_named_workspace(workspace)
    actor = reason.cause.actor

    def decision(proposal: Proposal) -> None:
        check_settled(proposal, place)
        state = proposal.state(unit)
        check_exists(state, (workspace, command.unit))
        if state.undone:
            return
        if state.conclusions != taken.conclusions:
            raise _More
        _refuse_blocked(unsupported)
        named = (workspace, command.unit, actor)
        undone = RetractionUndone(
            workspace=workspace,
            unit=command.unit,
            actor=actor,
            lost=(
                *_reinstate(proposal, named, state, unsupported),
                *bring_back_summaries(proposal, named, state),
                *bring_back_messages(proposal, named, state),
            ),
            withdrawn=_withdraw(proposal, named, instead),
        )
        proposal.record(unit, [undone])

    everything = (*taken.conclusions, *instead.conclusions)
    watched: list[Watched[Any]] = [place, *watch_all(workspace, everything)]
    watched += [watch_summary_of(workspace, each) for each in taken.summaries]
    watched += [watch_named_session(workspace, e.session) for e in taken.messages]
    written = await write(unit, watched, decision, reason)
    return Undone(unit=command.unit, state=written.state, position=written.position)


def _withdraw(
    proposal: Proposal, named: tuple[str, str, str], instead: Falling
) -> tuple[TakenConclusion, ...]:
    """Propose that the correction goes, and what was built on it.

    Raises:
        Conflict: it was retracted itself.
    """
    workspace, unit, actor = named
    for each in instead.conclusions[:1]:
        state = proposal.state(watch_conclusions(workspace, each))
        if is_retracted(state, each.id):
            raise stands_in_the_way(each.id, state.retracted[each.id, None])
    like = ConclusionRetracted(
        workspace=workspace,
        session=None,
        id="",
        reason=_CORRECTION,
        actor=actor,
        unit=unit,
    )
    return retract_all(proposal, instead.conclusions, like)


async def _instead(reach: Reach, workspace: str, taken: Retraction) -> Falling:
    """Return the correction a unit put in the place of what it took, if it did."""
    corrected = taken.conclusions[0] if taken.conclusions else None
    if taken.undone or taken.corrected_by is None or corrected is None:
        return Falling()
    correction = msgspec.structs.replace(corrected, id=taken.corrected_by)
    return await reach.falling(workspace, [correction])


def _refuse_blocked(unsupported: Sequence[Unsupported]) -> None:
    for each in unsupported:
        if each.unit is not None:
            raise stands_in_the_way(each.id, each.unit)


def _reinstate(
    proposal: Proposal,
    named: tuple[str, str, str],
    state: Retraction,
    unsupported: Sequence[Unsupported],
) -> tuple[str, ...]:
    """Propose that all comes back that can, and return what cannot."""
    workspace = named[0]
    baseless = {each.id for each in unsupported}
    lost: list[str] = []
    for each in state.conclusions:
        stream = watch_conclusions(workspace, each)
        event = _event(named, each)
        known = proposal.state(stream)
        events = [] if each.id in baseless else reinstate_conclusion(known, each, event)
        proposal.record(stream, events)
        lost += [] if events else [each.id]
    return tuple(dict.fromkeys(lost))


def _event(named: tuple[str, str, str], taken: TakenConclusion) -> ConclusionReinstated:
    workspace, unit, actor = named
    return ConclusionReinstated(
        workspace=workspace,
        session=taken.session,
        id=taken.id,
        observer=taken.observer,
        unit=unit,
        reason=_REASON,
        actor=actor,
    )
