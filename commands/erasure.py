"""Record, step by step, that a session or a workspace is erased."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from commands.decide import Decide, Reason
from commands.parents import watch_named_session, watch_named_workspace
from commands.watched import Watched
from domain import session as sessions
from domain import workspace as workspaces
from domain.conclusion import (
    EVIDENCE_ERASED,
    ConclusionRetracted,
    Conclusions,
    evolve_conclusions,
    retract_conclusion,
)
from domain.erasure import (
    SessionErased,
    SessionErasureBegun,
    StreamErased,
    WorkspaceErased,
    WorkspaceErasureBegun,
)
from domain.event import Event
from domain.names import Stream, conclusion_stream, pair_conclusion_stream
from domain.recorded import Cause

STREAMS_AT_ONCE = 200
"""Most streams that are ended in one append."""


class Bereft(msgspec.Struct, frozen=True, kw_only=True):
    """A conclusion that rests on nothing but what is to be erased.

    ``id`` is the one it was derived under; ``session`` that of its stream, None if it
    belongs to the pair.
    """

    id: str
    session: str | None
    observer: str
    observed: str


async def begin_session_erasure(
    decide: Decide, named: tuple[str, str], cause: Cause
) -> None:
    """Let nothing be written in a deleted (workspace, session) any more."""
    session = watch_named_session(*named, despite_damage=True)
    begun = SessionErasureBegun(workspace=named[0], session=named[1])
    await decide(
        named[0],
        (session,),
        lambda states: {session.stream: sessions.begin_erasure(states[0], begun)},
        Reason(cause),
    )


async def retract_bereft(
    decide: Decide, workspace: str, bereft: Sequence[Bereft], cause: Cause
) -> None:
    """Retract them for everybody."""
    for each in bereft:
        if each.session is None:
            stream = pair_conclusion_stream(workspace, each.observer, each.observed)
        else:
            stream = conclusion_stream(workspace, each.session)
        conclusions = Watched(
            stream, Conclusions(), evolve_conclusions, despite_damage=True
        )
        retracted = ConclusionRetracted(
            workspace=workspace,
            session=each.session,
            id=each.id,
            reason=EVIDENCE_ERASED,
            actor=cause.actor,
        )

        def decision(
            states: Sequence[Any],
            stream: Stream = stream,
            retracted: ConclusionRetracted = retracted,
        ) -> Mapping[Stream, Sequence[Event]]:
            return {stream: retract_conclusion(states[0], retracted)}

        await decide(workspace, (conclusions,), decision, Reason(cause))


async def erase_session(
    decide: Decide,
    named: tuple[str, str],
    streams: Sequence[Stream],
    at: tuple[datetime, int],
    cause: Cause,
) -> None:
    """Free the id, and end all streams of the session with it, in one append.

    ``at`` is the time, and the log's position up to which the session reached.
    """
    workspace, name = named
    session = watch_named_session(workspace, name, despite_damage=True)
    erased = SessionErased(
        workspace=workspace, session=name, erased_at=at[0], through=at[1]
    )
    ended = StreamErased(workspace=workspace, session=name, through=at[1])
    others = [each for each in streams if each != session.stream]

    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        done = sessions.erase_session(states[0], erased)
        if not done:
            return {}
        # The others at whatever version they are: while the session's own stream stands
        # as it was looked at, its name is not free, and nothing of a next one is there.
        return {session.stream: done, **dict.fromkeys(others, (ended,))}

    await decide(workspace, (session,), decision, Reason(cause))


async def begin_workspace_erasure(decide: Decide, named: str, cause: Cause) -> None:
    """Let nothing be written in a workspace until it is erased."""
    workspace = watch_named_workspace(named, despite_damage=True)
    begun = WorkspaceErasureBegun(workspace=named)
    await decide(
        named,
        (workspace,),
        lambda states: {workspace.stream: workspaces.begin_erasure(states[0], begun)},
        Reason(cause),
    )


async def end_streams(
    decide: Decide,
    workspace: str,
    streams: Mapping[Stream, int],
    through: int,
    cause: Cause,
) -> None:
    """End streams of a workspace, each at its version, so that all are told anew.

    Raises:
        Overloaded
        WrongExpectedVersion: one of them was ended, or is told anew already: what goes
            would be the next one's. Look again.
    """
    ended = StreamErased(workspace=workspace, through=through)
    left = iter(streams.items())
    while chunk := dict(islice(left, STREAMS_AT_ONCE)):
        await decide.append_at(chunk, (ended,), Reason(cause))


async def erase_workspace(
    decide: Decide, named: str, at: tuple[datetime, int], cause: Cause
) -> None:
    """Free the id; ``at`` is as for a session."""
    workspace = watch_named_workspace(named, despite_damage=True)
    erased = WorkspaceErased(workspace=named, erased_at=at[0], through=at[1])

    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        return {workspace.stream: workspaces.erase_workspace(states[0], erased)}

    await decide(named, (workspace,), decision, Reason(cause))
