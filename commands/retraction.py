"""Retract a conclusion, with what was built on it, for its observer or everybody."""

from typing import Any

import msgspec

from commands.decide import Reason
from commands.parents import check_settled, watch_named_workspace
from commands.ports import Held
from commands.proposal import Proposal
from commands.reach import Reach
from commands.taking_back import retract_all, watch_all, watch_retraction
from commands.watched import Watched
from commands.write import Write
from domain.conclusion import ConclusionRetracted
from domain.errors import NotFound
from domain.recorded import Recorded
from domain.retraction import (
    KeptConclusion,
    RetractionKind,
    RetractionRecorded,
    TakenConclusion,
    check_may_retract,
)

_REASONS: dict[RetractionKind, str] = {
    "retract": "retracted by request",
    "delete": "deleted by a client",
}


class RetractConclusion(msgspec.Struct, frozen=True, kw_only=True):
    """Retract what ``held`` names: for everybody, or only for who holds it so.

    ``note`` is why, in the asker's own words. An ``agent`` is a processor or a tool
    of a model, which may not retract explicit facts unless the workspace says so;
    ``because`` is then why, in a fixed phrase, ``superseded_by`` the conclusion that
    holds instead, and ``run`` the dream.
    """

    workspace: str
    held: Held
    kind: RetractionKind = "retract"
    everywhere: bool = True
    note: str | None = None
    agent: bool = False
    because: str | None = None
    superseded_by: str | None = None
    run: str = ""


class Retracted(msgspec.Struct, frozen=True, kw_only=True):
    """What a retraction came to: its unit, what went, and what stands without it.

    ``unit`` is None where nothing was done yet; ``position`` is where it can be read.
    """

    unit: str | None
    conclusions: tuple[TakenConclusion, ...]
    kept: tuple[KeptConclusion, ...]
    position: int


async def retract(
    write: Write, reach: Reach, command: RetractConclusion, reason: Reason
) -> Retracted:
    """Retract it and what falls with it, all in one append.

    What is built on it at the same moment is retracted right after, in the same unit,
    by ``processors/close_retractions.py``.

    Raises:
        NotFound: nobody holds it, or no longer.
        ExplicitFact: an agent may not.
        TooMuch: more than one unit may take would go.
    """
    workspace, held = command.workspace, command.held
    asked = asked_of(held, everywhere=command.everywhere)
    falling = await reach.falling(workspace, [asked], asked.observer)
    id_ = write.new_id()
    unit = watch_retraction(workspace, id_)
    place = watch_named_workspace(workspace)
    like = ConclusionRetracted(
        workspace=workspace,
        session=asked.session,
        id=asked.id,
        reason=command.because or _REASONS[command.kind],
        actor=reason.cause.actor,
        unit=id_,
        superseded_by=command.superseded_by,
    )

    def decision(proposal: Proposal) -> None:
        check_settled(proposal, place)
        configuration = proposal.state(place).configuration
        check_may_retract(held.level, agent=command.agent, configuration=configuration)
        taken = retract_all(proposal, falling.conclusions, like)
        if held.gone or asked not in taken:
            raise not_held(workspace, held.id)
        recorded = _record(command, asked, like)
        recorded = msgspec.structs.replace(
            recorded, conclusions=taken, kept=falling.kept
        )
        proposal.record(unit, [recorded])

    watched: list[Watched[Any]] = [place, *watch_all(workspace, falling.conclusions)]
    written = await write(unit, watched, decision, reason)
    return retracted_of(written.recorded, written.position)


async def preview_retraction(
    reach: Reach, workspace: str, held: Held, *, everywhere: bool
) -> Retracted:
    """Tell what retracting would do, and do nothing.

    Raises:
        NotFound, TooMuch: as retracting does.
    """
    if held.gone:
        raise not_held(workspace, held.id)
    asked = asked_of(held, everywhere=everywhere)
    falling = await reach.falling(workspace, [asked], asked.observer)
    return Retracted(
        unit=None,
        conclusions=falling.conclusions,
        kept=falling.kept,
        position=falling.position,
    )


def asked_of(held: Held, *, everywhere: bool) -> TakenConclusion:
    """Return what is asked to go."""
    return TakenConclusion(
        id=held.origin,
        session=held.session,
        holder=held.observer,
        observed=held.observed,
        observer=None if everywhere else held.observer,
    )


def retracted_of(recorded: tuple[Recorded, ...], position: int) -> Retracted:
    """Return what was recorded when the command was first carried out."""
    for each in recorded:
        if isinstance(event := each.event, RetractionRecorded):
            return Retracted(
                unit=event.unit,
                conclusions=event.conclusions,
                kept=event.kept,
                position=position,
            )
    raise AssertionError  # pragma: no cover  always recorded with the rest


def not_held(workspace: str, conclusion: str) -> NotFound:
    """Say that nobody holds a conclusion of this id (HC 1.12)."""
    return NotFound(
        f"Document {conclusion} not found or does not belong to workspace {workspace}"
    )


def _record(
    command: RetractConclusion, asked: TakenConclusion, like: ConclusionRetracted
) -> RetractionRecorded:
    return RetractionRecorded(
        workspace=command.workspace,
        unit=like.unit,
        kind=command.kind,
        actor=like.actor,
        session=asked.session,
        observed=asked.observed,
        asked=command.held.id,
        note=command.note,
        run=command.run,
    )
