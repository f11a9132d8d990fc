"""Bring back what a quarantine took beside conclusions: summaries and messages."""

from commands.parents import watch_named_session
from commands.proposal import Proposal
from commands.taking_back import watch_summary_of
from domain.errors import Conflict
from domain.retraction import Retraction
from domain.summary import SummaryReinstated, reinstate_summary
from domain.withholding import MessagesRestored, restore

_REASON = "its quarantine was undone"


def bring_back_summaries(
    proposal: Proposal, named: tuple[str, str, str], state: Retraction
) -> list[str]:
    """Propose that summaries are the newest again; return those that cannot be.

    ``named`` are workspace, unit and actor. What was summed up anew meanwhile stays.

    Raises:
        Conflict: its chain fell back further since.
    """
    workspace, unit, actor = named
    lost = []
    for each in state.summaries:
        chain = watch_summary_of(workspace, each)
        known = proposal.state(chain)
        further = known.withdrawn.get(each.fallback or "")
        if further is not None:
            raise Conflict(
                f"Summary {each.fallback} is held back by retraction {further}."
                " Undo that first."
            )
        event = SummaryReinstated(
            workspace=workspace,
            session=each.session,
            id=each.id,
            kind=each.kind,
            to_seq=each.to_seq,
            unit=unit,
            reason=_REASON,
            actor=actor,
        )
        events = reinstate_summary(known, event, each.fallback)
        proposal.record(chain, events)
        lost += [] if events else [each.id]
    return lost


def bring_back_messages(
    proposal: Proposal, named: tuple[str, str, str], state: Retraction
) -> list[str]:
    """Propose that messages are recalled again; return those that are erased."""
    workspace, unit, actor = named
    lost: list[str] = []
    for each in state.messages:
        session = watch_named_session(workspace, each.session)
        event = MessagesRestored(
            workspace=workspace,
            session=each.session,
            messages=each.ids,
            unit=unit,
            reason=_REASON,
            actor=actor,
        )
        events = restore(proposal.state(session).withheld, event)
        proposal.record(session, events)
        back = {message for e in events for message in e.messages}
        lost += [message for message in each.ids if message not in back]
    return lost
