"""Retract a conclusion for the one who holds it."""

from commands.decide import Reason, Watched
from commands.parents import check_settled, watch_named_workspace
from commands.ports import Held
from commands.proposal import Proposal
from commands.write import Write, Written
from domain.conclusion import (
    ConclusionRetracted,
    Conclusions,
    evolve_conclusions,
    retract_conclusion,
)
from domain.errors import NotFound
from domain.names import conclusion_stream, pair_conclusion_stream

_REASON = "deleted by a client"


async def retract(
    write: Write, workspace: str, held: Held, reason: Reason
) -> Written[Conclusions]:
    """Let its observer no longer hold a conclusion (HC E40); others keep theirs.

    Raises:
        NotFound: it was retracted before.
    """
    if held.session is not None:
        stream = conclusion_stream(workspace, held.session)
    else:
        stream = pair_conclusion_stream(workspace, held.observer, held.observed)
    conclusions = Watched(stream, Conclusions(), evolve_conclusions)
    retracted = ConclusionRetracted(
        workspace=workspace,
        session=held.session,
        id=held.origin,
        observer=held.observer,
        reason=_REASON,
        actor=reason.cause.actor,
    )

    place = watch_named_workspace(workspace)

    def decision(proposal: Proposal) -> None:
        check_settled(proposal, place)
        events = retract_conclusion(proposal.state(conclusions), retracted)
        if held.gone or not events:
            raise not_held(workspace, held.id)
        proposal.record(conclusions, events)

    return await write(conclusions, (place,), decision, reason)


def not_held(workspace: str, conclusion: str) -> NotFound:
    """Say that nobody holds a conclusion of this id (HC 1.12)."""
    return NotFound(
        f"Document {conclusion} not found or does not belong to workspace {workspace}"
    )
