"""Close a unit: what was built on what it took, while it took it, falls with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from commands.decide import Decide, Reason
from commands.parents import watch_named_session
from commands.proposal import Proposal
from commands.reach import Reach
from commands.taking_back import (
    retract_all,
    watch_all,
    watch_retraction,
    watch_summary_of,
)
from commands.watched import Watched
from domain.conclusion import ConclusionRetracted
from domain.event import Event
from domain.names import Stream
from domain.recorded import Cause
from domain.retraction import Retraction, RetractionExtended

_REASON = "what it rests on was withheld"


async def look_anew(decide: Decide, workspace: str, unit: str) -> Retraction:
    """Return a unit as it stands, and let the next decisions know what it changed.

    It may be another process that decided it: what this one has in mind of those
    streams is read again.
    """
    record = watch_retraction(workspace, unit)
    state = await decide.look_anew(record)
    touched: list[Watched[Any]] = [*watch_all(workspace, state.conclusions)]
    touched += [watch_summary_of(workspace, each) for each in state.summaries]
    touched += [watch_named_session(workspace, e.session) for e in state.messages]
    for each in touched:
        decide.forget(each.stream.name)
    return state


async def close_retraction(
    decide: Decide, reach: Reach, named: tuple[str, str], cause: Cause
) -> None:
    """Retract what should have gone with the (workspace, unit), and was not known then.

    Raises:
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    workspace, unit = named
    state = await look_anew(decide, workspace, unit)
    if state.undone:
        return
    left = await reach.left_over(workspace, state)
    if not left:
        return
    record = watch_retraction(workspace, unit)
    watched: list[Watched[Any]] = [record, *watch_all(workspace, left)]
    like = ConclusionRetracted(
        workspace=workspace,
        session=None,
        id="",
        reason=_REASON,
        actor=cause.actor,
        unit=unit,
    )

    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        proposal = Proposal(watched, states)
        taken = retract_all(proposal, left, like)
        if taken and not proposal.state(record).undone:
            extended = RetractionExtended(
                workspace=workspace, unit=unit, conclusions=taken
            )
            proposal.record(record, [extended])
            return proposal.events
        return {}

    await decide(workspace, watched, decision, Reason(cause))


async def close_undone(
    decide: Decide, reach: Reach, named: tuple[str, str], cause: Cause
) -> None:
    """Let what the (workspace, unit) brought back fall with what it rests on.

    Another unit may have taken that, on another stream, while this one was undone.

    Raises:
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    workspace, unit = named
    state = await look_anew(decide, workspace, unit)
    back = [each for each in state.conclusions if each.id not in state.lost]
    if not state.undone or not back:
        return
    unsupported = await reach.unsupported(workspace, unit, back)
    for other in sorted({each.unit for each in unsupported if each.unit}):
        await close_retraction(decide, reach, (workspace, other), cause)
