"""Decides upon streams that cannot be read, of what is left of them: to erase them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from commands.conflict import ATTEMPTS, rest
from commands.ports import (
    ANY,
    Appended,
    AppendRequest,
    EventStore,
    WrongExpectedVersion,
)
from commands.requested import requested
from commands.watched import Watched
from domain.event import Event
from domain.names import Stream

if TYPE_CHECKING:
    from commands.decide import Reason

S = TypeVar("S")


class WhatIsLeft:
    """Streams as the log has them now, but for what of them is damaged.

    Nothing of it is kept: whoever needs all of a stream must not find less.
    """

    def __init__(
        self,
        store: EventStore,
        seen: Callable[[str, "Reason"], Awaitable[Appended | None]],
        submit: Callable[[AppendRequest], Awaitable[Appended]],
    ) -> None:
        self._store = store
        self._seen = seen
        self._submit = submit

    async def of(self, watched: Watched[S]) -> tuple[S, int]:
        """Return what is left of a stream, folded, and the version it is at."""
        state, version = watched.initial, 0
        for each in await self._store.read_despite_damage(watched.stream.name):
            state, version = watched.after(state, each.event), each.version
        return state, version

    async def decide(
        self,
        tenant: str,
        watched: Sequence[Watched[Any]],
        decision: Callable[[Sequence[Any]], Mapping[Stream, Sequence[Event]]],
        reason: "Reason",
    ) -> Appended | None:
        """Decide and append; see ``Decide``."""
        for attempt in range(ATTEMPTS):
            if (seen := await self._seen(tenant, reason)) is not None:
                return seen
            left = [await self.of(each) for each in watched]
            made = decision([state for state, _ in left])
            decided = {s: tuple(events) for s, events in made.items() if events}
            if not decided:
                return None
            found = zip(watched, left, strict=True)
            at = {each.stream: version for each, (_, version) in found}
            expected = {**dict.fromkeys(decided, ANY), **at}
            try:
                return await self._submit(requested(tenant, decided, expected, reason))
            except WrongExpectedVersion:
                await rest(attempt)
        raise AssertionError  # pragma: no cover  the last rest raises
