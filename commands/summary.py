"""Record a summary of a session, continuing the chain of its kind."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from commands.decide import Decide, Reason
from commands.identity import processor_command
from commands.living import Source, decide_if_living
from commands.parents import watch_named_session
from commands.ports import Appended, CommandIdentity
from commands.watched import Watched
from domain.event import Engine, Event
from domain.names import Stream, public_id, summary_stream
from domain.recorded import Cause
from domain.session import SummaryKind
from domain.summary import (
    Summary,
    SummaryOmitted,
    SummaryProduced,
    evolve_summary,
    omit,
    produce,
)


class RecordSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An engine summed up messages ``from_seq``..``to_seq``, absorbing ``parent``.

    ``name`` identifies the command within the workspace; the summary's id is made
    from it. ``message`` is the public id of the last message covered, ``position``
    where in the log the first one is, ``read`` the ids of all the engine was given.
    Without ``content`` nothing is worth it.
    """

    workspace: str
    session: str
    position: int
    name: str
    kind: SummaryKind
    from_seq: int
    to_seq: int
    message: str
    parent: str | None
    content: str
    tokens: int
    created_at: datetime
    engine: Engine
    cause: Cause
    read: tuple[str, ...] = ()


class ReadWithheld(Exception):  # noqa: N818  says what happened
    """What an engine was given to sum up is withheld by now: it has to begin anew."""


def watch_summary(workspace: str, session: str, kind: SummaryKind) -> Watched[Summary]:
    """Return the newest summary of a kind, as a stream to look at."""
    stream = summary_stream(workspace, session, kind)
    return Watched(stream, Summary(), evolve_summary)


async def record_summary(decide: Decide, command: RecordSummary) -> Appended | None:
    """Append the summary, or that there is none; None if the chain goes on without.

    Raises:
        ReadWithheld
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    identity = processor_command(command.workspace, command.name)
    chain = watch_summary(command.workspace, command.session, command.kind)
    session = watch_named_session(command.workspace, command.session)

    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        newest, said = states
        if not said.withheld.keys().isdisjoint(command.read):
            raise ReadWithheld
        return {chain.stream: _decided(newest, command, identity)}

    cause = msgspec.structs.replace(command.cause, command_id=identity.id)
    source = Source(command.workspace, command.session, command.position)
    return await decide_if_living(
        decide, source, (chain, session), decision, Reason(cause, identity)
    )


def _decided(
    chain: Summary, command: RecordSummary, identity: CommandIdentity
) -> Sequence[Event]:
    if not command.content:
        omitted = SummaryOmitted(
            workspace=command.workspace,
            session=command.session,
            kind=command.kind,
            from_seq=command.from_seq,
            to_seq=command.to_seq,
            engine=command.engine,
        )
        return omit(chain, omitted)
    produced = SummaryProduced(
        workspace=command.workspace,
        session=command.session,
        id=public_id(identity.id.bytes, 0),
        kind=command.kind,
        from_seq=command.from_seq,
        to_seq=command.to_seq,
        message=command.message,
        content=command.content,
        tokens=command.tokens,
        created_at=command.created_at,
        engine=command.engine,
        parent=command.parent,
    )
    return produce(chain, produced)
