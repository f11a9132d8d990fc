"""What follows from something that happened, and must not outlive it.

A model may take a minute over messages whose session is deleted meanwhile. What comes
back then is recorded nowhere: neither in what is about to be erased, nor in the next
session of that id.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from commands.decide import Decide, Reason
from commands.ports import Appended
from commands.watched import Watched
from domain.event import Event
from domain.names import Stream, session_stream, workspace_stream
from domain.session import Session, evolve_session
from domain.workspace import Workspace, evolve_workspace


class Source(msgspec.Struct, frozen=True):
    """Where something follows from: what happened at a position of the log.

    It happened in a session of the workspace, or in none.
    """

    workspace: str
    session: str | None
    position: int


async def is_living(decide: Decide, source: Source, *, surely: bool = False) -> bool:
    """Tell whether a source is neither erased nor about to be.

    ``surely`` asks the log: what another process began a moment ago counts too.
    """
    look = decide.look_anew if surely else decide.look
    return _lives(source, [await look(each) for each in _grounds(source)])


async def decide_if_living(
    decide: Decide,
    source: Source,
    watched: Sequence[Watched[Any]],
    decision: Callable[[Sequence[Any]], Mapping[Stream, Sequence[Event]]],
    reason: Reason,
) -> Appended | None:
    """Decide what follows from a source; None also when that is erased, or will be.

    Raises:
        See ``Decide``.
    """
    grounds = _grounds(source)

    def if_living(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        if not _lives(source, states[: len(grounds)]):
            return {}
        return decision(states[len(grounds) :])

    return await decide(source.workspace, (*grounds, *watched), if_living, reason)


def _grounds(source: Source) -> tuple[Watched[Any], ...]:
    stream = workspace_stream(source.workspace)
    workspace = Watched(stream, Workspace(), evolve_workspace)
    if source.session is None:
        return (workspace,)
    stream = session_stream(source.workspace, source.session)
    return workspace, Watched(stream, Session(), evolve_session)


def _lives(source: Source, states: Sequence[Any]) -> bool:
    workspace: Workspace = states[0]
    if workspace.erasing or source.position <= workspace.erased_through:
        return False
    if source.session is None:
        return True
    session: Session = states[1]
    return not session.deleted and source.position > session.erased_through
