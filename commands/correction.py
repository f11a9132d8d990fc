"""Correct a conclusion: retract it, and say it right in its place."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from commands.conclusions import CLIENT, check_length, record_vectors
from commands.decide import Reason
from commands.parents import check_settled, watch_named_workspace
from commands.ports import Held, Remembered, TextMemory
from commands.proposal import Proposal
from commands.reach import Falling, Reach
from commands.retraction import Retracted, asked_of, not_held, retracted_of
from commands.taking_back import (
    retract_all,
    watch_all,
    watch_conclusions,
    watch_retraction,
)
from commands.watched import Watched
from commands.write import Write
from domain.conclusion import ConclusionDerived, ConclusionRetracted, content_key
from domain.recorded import Recorded
from domain.retraction import RetractionRecorded, TakenConclusion

_REASON = "corrected by request"


class CorrectConclusion(msgspec.Struct, frozen=True, kw_only=True):
    """Say ``content`` in the place of what ``held`` names, for all who hold that."""

    workspace: str
    held: Held
    content: str
    note: str | None = None


class Corrected(msgspec.Struct, frozen=True):
    """The conclusion that says it right, and what the retraction came to."""

    recorded: Recorded
    retracted: Retracted


async def correct(
    write: Write,
    reach: Reach,
    memory: TextMemory,
    command: CorrectConclusion,
    reason: Reason,
) -> Corrected:
    """Retract it and what falls with it, and conclude the other, in one append.

    What says it right rests on who says so, and on nothing said; whoever held what it
    corrects holds it. Its vector is stored before it.

    Raises:
        Invalid: it is too long.
        NotFound: nobody holds what is to be corrected, or no longer.
        TooMuch: more than one unit may take would go.
    """
    check_length(command.content, write.tokens)
    asked = asked_of(command.held, everywhere=True)
    falling = await reach.falling(command.workspace, [asked])
    draft = _Draft(command, write.new_id(), write.new_id(), write.clock())
    remembered = None
    if not command.held.gone:
        remembered = await memory.remember(command.workspace, [command.content])
    written = await _carry_out(write, draft, (asked, falling, remembered), reason)
    if remembered is not None:
        await memory.searchable(written[1])
    derived = next(e for e in written[0] if isinstance(e.event, ConclusionDerived))
    return Corrected(derived, retracted_of(*written))


class _Draft(msgspec.Struct, frozen=True):
    command: CorrectConclusion
    unit: str
    id: str
    at: datetime

    def derived(self) -> ConclusionDerived:
        held, content = self.command.held, self.command.content
        return ConclusionDerived(
            workspace=self.command.workspace,
            session=held.session,
            id=self.id,
            observed=held.observed,
            content=content,
            content_key=content_key(content),
            occurred_at=self.at,
            engine=CLIENT,
            observer=held.observer if held.named else None,
            corrects=held.origin,
        )

    def retracted(self, actor: str) -> ConclusionRetracted:
        return ConclusionRetracted(
            workspace=self.command.workspace,
            session=self.command.held.session,
            id=self.command.held.origin,
            reason=_REASON,
            actor=actor,
            unit=self.unit,
            superseded_by=self.id,
        )

    def record(
        self, actor: str, taken: Sequence[TakenConclusion], falling: Falling
    ) -> RetractionRecorded:
        return RetractionRecorded(
            workspace=self.command.workspace,
            unit=self.unit,
            kind="correct",
            actor=actor,
            session=self.command.held.session,
            observed=self.command.held.observed,
            asked=self.command.held.id,
            note=self.command.note,
            conclusions=tuple(taken),
            kept=falling.kept,
            corrected_by=self.id,
        )


async def _carry_out(
    write: Write,
    draft: _Draft,
    parts: tuple[TakenConclusion, Falling, Remembered | None],
    reason: Reason,
) -> tuple[tuple[Recorded, ...], int]:
    asked, falling, remembered = parts
    workspace = draft.command.workspace
    unit = watch_retraction(workspace, draft.unit)
    place = watch_named_workspace(workspace)
    own = watch_conclusions(workspace, asked)
    actor = reason.cause.actor

    def decision(proposal: Proposal) -> None:
        check_settled(proposal, place)
        # First, so that the views still know who holds what it corrects.
        proposal.record(own, [draft.derived()])
        taken = retract_all(proposal, falling.conclusions, draft.retracted(actor))
        if draft.command.held.gone or asked not in taken:
            raise not_held(workspace, draft.command.held.id)
        proposal.record(unit, [draft.record(actor, taken, falling)])
        vectors = record_vectors([(own.stream, draft.derived())], remembered)
        for stream, event in vectors:
            proposal.add(stream, event)

    watched: list[Watched[Any]] = [place, *watch_all(workspace, falling.conclusions)]
    written = await write(unit, watched, decision, reason)
    return written.recorded, written.position
