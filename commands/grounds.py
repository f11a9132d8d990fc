"""What an inference is to rest on: conclusions of a collection, and their streams."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from commands.parents import watch_named_session
from commands.watched import Watched
from domain.conclusion import (
    Conclusions,
    Evidence,
    Level,
    evolve_conclusions,
    is_retracted,
)
from domain.names import (
    SCOPE_PREFIX,
    conclusion_stream,
    is_reserved,
    pair_conclusion_stream,
)
from domain.session import Session


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """A conclusion its observer holds, by the id it was derived under.

    ``session`` is that of its stream, None if it belongs to the pair; ``sessions`` are
    those in which all it rests on was said, "" standing for none; ``position`` is
    where it came to be. ``named`` says it was made for this one observer.
    """

    id: str
    level: Level
    session: str | None
    observer: str
    observed: str
    occurred_at: datetime
    position: int
    named: bool = False
    sessions: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class FindGrounds(Protocol):
    """Finds conclusions in the views, once these have passed the log's head."""

    async def __call__(
        self, pair: tuple[str, str, str], ids: Sequence[str]
    ) -> Mapping[str, Ground]:
        """Return what the (workspace, observer, observed) holds, by the ids asked for.

        One may be asked for by the id of the observer's row or by that it was derived
        under.

        Raises:
            Overloaded: the views are behind.
        """
        ...


class GroundStreams:
    """The streams that tell whether grounds still hold when it counts."""

    def __init__(self, workspace: str, grounds: Collection[Ground]) -> None:
        self._workspace = workspace
        self._grounds = grounds
        streams = [_conclusions(workspace, each) for each in grounds]
        sessions = {e.session for e in grounds if e.session is not None}
        places = [watch_named_session(workspace, e) for e in sorted(sessions)]
        found: list[Watched[Any]] = [*streams, *places]
        self.watched = tuple({each.stream.name: each for each in found}.values())

    def holding(self, states: Sequence[Any]) -> frozenset[str]:
        """Return the ids that hold, by the states of ``watched`` in their order."""
        known = {
            each.stream.name: state
            for each, state in zip(self.watched, states, strict=True)
        }
        return frozenset(each.id for each in self._grounds if self._holds(each, known))

    def _holds(self, ground: Ground, known: Mapping[str, Any]) -> bool:
        state: Conclusions = known[_conclusions(self._workspace, ground).stream.name]
        if is_retracted(state, ground.id, ground.observer):
            return False
        if ground.session is None:
            return True
        place = watch_named_session(self._workspace, ground.session)
        session: Session = known[place.stream.name]
        there = not session.deleted and ground.position > session.erased_through
        return there and (ground.named or _is_shared(session, ground.observer))


def _is_shared(session: Session, observer: str) -> bool:
    """Tell whether an observer holds what a session tells: a scope while it is in it.

    What an ordinary peer heard stays with it, also if its name is like a scope's.
    """
    if not is_reserved(observer) or observer in session.members:
        return True
    return observer.removeprefix(SCOPE_PREFIX) in session.scopes


def _conclusions(workspace: str, ground: Ground) -> Watched[Conclusions]:
    if ground.session is None:
        pair = (workspace, ground.observer, ground.observed)
        stream = pair_conclusion_stream(*pair)
    else:
        stream = conclusion_stream(workspace, ground.session)
    return Watched(stream, Conclusions(), evolve_conclusions)
