"""Quarantine: take back everything downstream of what was said, or of an engine."""

from typing import Any

import msgspec

from commands.decide import Reason
from commands.parents import (
    check_settled,
    watch_named_session,
    watch_named_workspace,
)
from commands.proposal import Proposal
from commands.reach import Reach, Selected, Selection
from commands.taking_back import (
    retract_all,
    watch_all,
    watch_retraction,
    watch_summary_of,
)
from commands.watched import Watched
from commands.write import Write
from domain.conclusion import ConclusionRetracted
from domain.errors import Invalid
from domain.retraction import (
    RetractionRecorded,
    TakenMessages,
    TakenSummary,
)
from domain.summary import SummaryRetracted, withdraw_summary
from domain.withholding import MessagesWithheld, withhold

_REASON = "quarantined by request"


class Quarantine(msgspec.Struct, frozen=True, kw_only=True):
    """Take back what is selected; ``note`` is why, in the asker's own words."""

    workspace: str
    selection: Selection
    note: str | None = None


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """What a quarantine took, as one unit; without a unit, what it would take.

    Answers that cite any of it are told before: they are history, and stay.
    """

    unit: str | None
    taken: Selected


async def preview_quarantine(
    reach: Reach, workspace: str, selection: Selection
) -> Quarantined:
    """Tell what a quarantine would take, and take nothing.

    Raises:
        Invalid, TooMuch: as the quarantine does.
    """
    _check(selection)
    watch_named_workspace(workspace)
    return Quarantined(unit=None, taken=await reach.selected(workspace, selection))


async def quarantine(
    write: Write, reach: Reach, command: Quarantine, reason: Reason
) -> Quarantined:
    """Retract, withdraw and withhold all of it, in one append.

    Conclusions that rest on it are retracted with what was built on them, summaries
    that tell of it make way for those before them, and messages that a filter alone
    selects are withheld from recall; they are listed as before.

    Raises:
        Invalid: nothing is selected by, or nothing fits it.
        TooMuch: more than one unit may take.
    """
    _check(command.selection)
    watch_named_workspace(command.workspace)
    while True:
        selected = await reach.selected(command.workspace, command.selection)
        unit = write.new_id()
        try:
            return await _carry_out(write, command, (unit, selected), reason)
        except _Newer:
            continue


class _Newer(Exception):  # noqa: N818  says what happened
    """A summary was made since we looked."""


def _check(selection: Selection) -> None:
    if not (selection.filters or selection.source):
        raise Invalid("Select by filters, by source, or by both")


async def _carry_out(
    write: Write, command: Quarantine, seen: tuple[str, Selected], reason: Reason
) -> Quarantined:
    unit, selected = seen
    workspace, actor = command.workspace, reason.cause.actor
    record = watch_retraction(workspace, unit)
    place = watch_named_workspace(workspace)
    act = {"unit": unit, "reason": _REASON, "actor": actor}

    def decision(proposal: Proposal) -> None:
        check_settled(proposal, place)
        like = ConclusionRetracted(workspace=workspace, session=None, id="", **act)
        recorded = RetractionRecorded(
            workspace=workspace,
            unit=unit,
            kind="quarantine",
            actor=actor,
            note=command.note,
            filters=dict(command.selection.filters),
            source=dict(command.selection.source),
            conclusions=retract_all(proposal, selected.conclusions, like),
            summaries=_withdraw(proposal, workspace, selected, act),
            messages=_withhold(proposal, workspace, selected, act),
            kept=selected.kept,
        )
        if not (recorded.conclusions or recorded.summaries or recorded.messages):
            raise Invalid("Nothing is there that fits the selection")
        proposal.record(record, [recorded])

    watched: list[Watched[Any]] = [place, *watch_all(workspace, selected.conclusions)]
    watched += [watch_summary_of(workspace, each) for each in selected.summaries]
    watched += [watch_named_session(workspace, e.session) for e in selected.messages]
    written = await write(record, watched, decision, reason)
    return _quarantined(written.events, written.position)


def _withdraw(
    proposal: Proposal, workspace: str, selected: Selected, act: dict[str, str]
) -> tuple[TakenSummary, ...]:
    for each in selected.summaries:
        chain = watch_summary_of(workspace, each)
        event = SummaryRetracted(
            workspace=workspace,
            session=each.session,
            id=each.id,
            kind=each.kind,
            fallback=each.fallback,
            fallback_seq=each.fallback_seq,
            **act,
        )
        events = withdraw_summary(proposal.state(chain), event)
        if not events:
            raise _Newer
        proposal.record(chain, events)
    return selected.summaries


def _withhold(
    proposal: Proposal, workspace: str, selected: Selected, act: dict[str, str]
) -> tuple[TakenMessages, ...]:
    taken = []
    for each in selected.messages:
        session = watch_named_session(workspace, each.session)
        event = MessagesWithheld(
            workspace=workspace, session=each.session, messages=each.ids, **act
        )
        events = withhold(proposal.state(session).withheld, event)
        proposal.record(session, events)
        taken += [TakenMessages(session=e.session, ids=e.messages) for e in events]
    return tuple(taken)


def _quarantined(events: tuple[Any, ...], position: int) -> Quarantined:
    event = next(each for each in events if isinstance(each, RetractionRecorded))
    taken = Selected(
        conclusions=event.conclusions,
        summaries=event.summaries,
        messages=event.messages,
        kept=event.kept,
        position=position,
    )
    return Quarantined(unit=event.unit, taken=taken)
