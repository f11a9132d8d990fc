"""Retract what a scope inferred from what left it with a session (RS 2.8)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from commands.decide import Decide, Reason
from commands.taking_back import watch_conclusions
from domain.conclusion import ConclusionRetracted, retract_conclusion
from domain.event import Event
from domain.names import Stream
from domain.recorded import Cause
from domain.retraction import TakenConclusion

LEFT: Final = "what it was built on left the scope"


async def retract_unheld(
    decide: Decide, workspace: str, unheld: Sequence[TakenConclusion], cause: Cause
) -> None:
    """Retract them for good: what the session brings anew is inferred anew.

    Raises:
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    for each in unheld:
        conclusions = watch_conclusions(workspace, each)
        retracted = ConclusionRetracted(
            workspace=workspace,
            session=each.session,
            id=each.id,
            reason=LEFT,
            actor=cause.actor,
        )

        def decision(
            states: Sequence[Any],
            stream: Stream = conclusions.stream,
            retracted: ConclusionRetracted = retracted,
        ) -> Mapping[Stream, Sequence[Event]]:
            return {stream: retract_conclusion(states[0], retracted)}

        await decide(workspace, (conclusions,), decision, Reason(cause))
