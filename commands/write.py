"""Carry out one write: decide it, wait until it can be read, say what it came to."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from commands.decide import Decide, Reason
from commands.ports import (
    Appended,
    Clock,
    EventStore,
    Limits,
    NewId,
    TokenCounter,
    Views,
)
from commands.proposal import Proposal
from commands.watched import Watched
from domain.event import Event
from domain.names import Stream
from domain.recorded import Recorded

S = TypeVar("S")

_USUAL = Limits()

READABLE_WITHIN = 5.0
"""Seconds a write waits for its views before it answers anyway (architecture 3)."""


class Written(msgspec.Struct, Generic[S], frozen=True):
    """What a write came to.

    ``state`` is the aggregate as the write left it, ``recorded`` what was recorded
    (nothing if everything was so already), ``position`` how far a reader must have
    come to see all of it.
    """

    state: S
    recorded: tuple[Recorded, ...]
    position: int

    @property
    def events(self) -> tuple[Event, ...]:
        """What was recorded, without its envelopes."""
        return tuple(each.event for each in self.recorded)


class Write:
    """Decides, appends and waits for the views; one for the whole process.

    A command that was carried out before is answered from the events of that first
    time. Its ports are open to the commands that need a time, an id or a count.
    """

    def __init__(
        self,
        decide: Decide,
        *,
        store: EventStore,
        views: Views,
        clock: Clock,
        new_id: NewId,
        tokens: TokenCounter,
        limits: Limits = _USUAL,
    ) -> None:
        self.decide = decide
        self.store = store
        self.clock = clock
        self.new_id = new_id
        self.tokens = tokens
        self.limits = limits
        self._views = views

    async def __call__(
        self,
        of: Watched[S],
        others: Sequence[Watched[Any]],
        decision: Callable[[Proposal], None],
        reason: Reason,
    ) -> Written[S]:
        """Write to the aggregate ``of`` and to those it may have to found.

        Raises:
            DomainError: the decision refuses; nothing was written.
            EventStoreError: see ``commands.ports``.
        """
        watched = (of, *others)
        proposal: Proposal | None = None

        def decide(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
            nonlocal proposal
            proposal = Proposal(watched, states)
            decision(proposal)
            return proposal.events

        appended = await self.decide(of.stream.tenant, watched, decide, reason)
        if appended is not None and (appended.replayed or proposal is None):
            state = await self._as_it_was(of, appended)
        elif proposal is not None:
            state = proposal.state(of)
        else:  # pragma: no cover  a command neither seen nor decided
            raise AssertionError
        if appended is None:
            return await self._readable(state, (), self.decide.position_of(watched))
        return await self._readable(state, appended.recorded, appended.last)

    async def caught_up(self, position: int) -> None:
        """Wait, within bounds, until the views have passed a position.

        Between the appends of one long write, so that its last need not wait long.
        """
        await self._views.wait_for(position, READABLE_WITHIN)

    async def _readable(
        self, state: S, recorded: tuple[Recorded, ...], position: int
    ) -> Written[S]:
        """Wait, but answer in any case: what is written must never be an error."""
        await self._views.wait_for(position, READABLE_WITHIN)
        return Written(state, recorded, position)

    async def _as_it_was(self, of: Watched[S], appended: Appended) -> S:
        """Fold the stream as far as the first time this command was carried out."""
        last = max(
            (e.version for e in appended.recorded if e.stream == of.stream.name),
            default=0,
        )
        state, version = of.initial, 0
        while version < last:
            page = await self.store.read_stream(
                of.stream.name, after=version, limit=min(last - version, 2_000)
            )
            if not page:
                break
            for recorded in page:
                state = of.after(state, recorded.event)
                version = recorded.version
        return state


class Birth:
    """When, and under which row ids, what a command founds comes to be.

    An id is drawn once for each stream, so that a decision taken again after a
    conflict founds the same.
    """

    def __init__(self, at: datetime, new_id: NewId) -> None:
        self.at = at
        self._new_id = new_id
        self._drawn: dict[str, str] = {}

    def uid(self, of: Watched[Any]) -> str:
        """Return the row id of this stream's aggregate."""
        name = of.stream.name
        if name not in self._drawn:
            self._drawn[name] = self._new_id()
        return self._drawn[name]
