"""The one decide loop: load states, decide, append; conflict means decide again.

States are folded from streams and cached with the versions they were folded to.
A decision is taken and its append submitted without an await in between, and the
cache then holds the state as it will be; so the next command on the same stream
is decided at once and shares the commit. Should an append fail, everything
decided upon it fails too, is loaded anew and decided again.

Other processes append to the same log. What was looked at must still stand as it did
when an append is written; that nothing is to be done, or is refused, is said only once
the log knows no better (``commands/abreast.py``).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import msgspec

from commands.abreast import Abreast
from commands.conflict import ATTEMPTS, rest
from commands.damaged import Damaged
from commands.known import Known, KnownStreams, written
from commands.ports import (
    ANY,
    Appended,
    AppendRequest,
    CommandIdentity,
    EventStore,
    KeyReused,
    WrongExpectedVersion,
)
from commands.requested import requested
from commands.watched import Watched
from commands.what_is_left import WhatIsLeft
from domain.errors import DomainError
from domain.event import Event
from domain.names import Stream
from domain.recorded import Cause

S = TypeVar("S")

Decision = Mapping[Stream, Sequence[Event]]


class Reason(msgspec.Struct, frozen=True):
    """Why something is decided: the cause of its events and its identity.

    ``cause_of`` tells an event's own cause where one decision belongs to several
    stories; ``cause`` is then what is left to them all. A command that ``is_new`` was
    hardly ever carried out before, and what it decides does not depend on that: the
    append alone finds it out, and the log is not asked first.
    """

    cause: Cause
    command: CommandIdentity | None = None
    cause_of: Callable[[Event], Cause] | None = None
    is_new: bool = False


class Decide:
    """Decides commands against folded streams; safe for many callers at once."""

    def __init__(self, store: EventStore, *, cached_streams: int = 50_000) -> None:
        self._store = store
        self._known = KnownStreams(store, cached_streams)
        self._left = WhatIsLeft(store, self.seen, self._submit)
        self._abreast = Abreast(store, self._known.moved)
        store.on_conflict(self.forget)

    async def __call__(
        self,
        tenant: str,
        watched: Sequence[Watched[Any]],
        decision: Callable[[Sequence[Any]], Decision],
        reason: Reason,
    ) -> Appended | None:
        """Decide and append; None when the decision made no event.

        ``decision`` is pure: it is given the states in the order watched and may be
        called again after a conflict. A command carried out before gets the events
        of that first time.

        Raises:
            DomainError: the decision refuses.
            KeyReused, Overloaded: see ``commands.ports``.
            WrongExpectedVersion: conflicts did not cease.
            Damaged: one of them cannot be read, and not all may be decided upon so.
        """
        try:
            return await self._of_all(tenant, watched, decision, reason)
        except Damaged:
            if not all(each.despite_damage for each in watched):
                raise
        return await self._left.decide(tenant, watched, decision, reason)

    async def _of_all(
        self,
        tenant: str,
        watched: Sequence[Watched[Any]],
        decision: Callable[[Sequence[Any]], Decision],
        reason: Reason,
    ) -> Appended | None:
        for attempt in range(ATTEMPTS):
            seen = await self.seen(tenant, reason)
            if seen is not None:
                return seen
            await self._load(watched)
            known = [self._now(each) for each in watched]
            try:
                states = [each.state for each in known]
                decided = {s: tuple(e) for s, e in decision(states).items() if e}
            except DomainError:
                first = await self._meanwhile(tenant, watched, reason)
                if first is not None:
                    return first
                if await self._holds(known):
                    raise
                continue
            if not decided:
                under_way = self._under_way(watched)
                if not await self._holds(known):
                    continue
                return await self.seen(tenant, reason) if under_way else None
            try:
                return await self._append(tenant, watched, decided, reason)
            except WrongExpectedVersion:
                await rest(attempt)
        raise WrongExpectedVersion("Appends on the same streams did not cease")

    async def _meanwhile(
        self, tenant: str, watched: Sequence[Watched[Any]], reason: Reason
    ) -> Appended | None:
        """Return what this very command wrote while it was refused, if it did.

        A second deletion at once, under one key, is refused because of the first.
        """
        if reason.command is None:
            return None
        if under_way := self._under_way(watched):
            await written(under_way)
        return await self.seen(tenant, reason)

    async def _holds(self, known: Sequence[Known]) -> bool:
        """Tell whether what was decided upon is so, in the log, and all of it.

        An answer that adds nothing is an answer too: it must not rest on an event that
        may yet fail to be written, nor be given though another process wrote one.
        """
        under_way = {each.newest for each in known if each.newest is not None}
        if under_way and not await written(under_way):
            return False
        await self._abreast.make_sure()
        return not any(each.stale for each in known)

    async def look(self, watched: Watched[S]) -> S:
        """Return one stream's state as it stands, appends under way included.

        What another process appended in the last moment may not be in it.
        """
        try:
            await self._load([watched])
        except Damaged:
            if not watched.despite_damage:
                raise
            return (await self._left.of(watched))[0]
        return cast("S", self._now(watched).state)

    async def look_anew(self, watched: Watched[S]) -> S:
        """Return one stream's state as it is now, whoever appended to it."""
        await self._abreast.make_sure()
        return await self.look(watched)

    def position_of(self, watched: Sequence[Watched[Any]]) -> int:
        """Return the newest durable position folded into these states, 0 if none."""
        known = self._known.all_of(watched)
        return max((each.position for each in known), default=0)

    def _under_way(
        self, watched: Sequence[Watched[Any]]
    ) -> set[asyncio.Future[Appended]]:
        """Return the appends these states rest on that are not durable yet."""
        known = self._known.all_of(watched)
        return {each.newest for each in known if each.newest is not None}

    def _now(self, watched: Watched[Any]) -> Known:
        """Return what was just loaded."""
        known = self._known.of(watched.stream.name)
        assert known is not None  # noqa: S101  nothing was awaited since
        return known

    async def seen(self, tenant: str, reason: Reason) -> Appended | None:
        """Return what a command wrote when it was carried out before, if that is asked.

        Raises:
            KeyReused: its id then stood for another request.
        """
        command = reason.command
        if command is None or reason.is_new:
            return None
        seen = await self._store.find_command(tenant, command.id)
        if seen is None:
            return None
        if seen.request_hash != command.request_hash:
            raise KeyReused("This Idempotency-Key was used with another request")
        # Whoever carried it out: what it wrote is known from now on.
        self._known.moved(
            {each.stream: each.version for each in seen.appended.recorded}
        )
        return seen.appended

    async def _append(
        self,
        tenant: str,
        watched: Sequence[Watched[Any]],
        decided: Mapping[Stream, tuple[Event, ...]],
        reason: Reason,
    ) -> Appended:
        """Submit at the versions decided upon and move the cache ahead."""
        folds = {each.stream: each for each in watched}
        known = {s: self._known.of(s.name) if s in folds else None for s in decided}
        expected = {
            stream: at.version if at is not None else ANY
            for stream, at in known.items()
        }
        for each in watched:
            if each.stream not in decided:
                expected[each.stream] = self._now(each).version
        request = requested(tenant, decided, expected, reason)
        pending = asyncio.ensure_future(self._store.submit(request))
        left: dict[Stream, tuple[Known, Any, int] | None] = {}
        for stream, events in decided.items():
            at = known[stream]
            if at is None:
                left[stream] = None
                continue
            for event in events:
                at.state = folds[stream].after(at.state, event)
            at.version += len(events)
            at.in_flight += 1
            at.newest = pending
            left[stream] = (at, at.state, at.version)
        return await self._outcome(pending, left)

    async def append_at(
        self, versions: Mapping[Stream, int], events: tuple[Event, ...], reason: Reason
    ) -> Appended:
        """Append to streams of a tenant that were found, not folded, at these versions.

        Raises:
            Overloaded
            WrongExpectedVersion: one of them moved on since; nothing is written.
        """
        decided = dict.fromkeys(versions, events)
        tenant = next(iter(versions)).tenant
        return await self._submit(requested(tenant, decided, versions, reason))

    async def _submit(self, request: AppendRequest) -> Appended:
        """Append what was not decided upon cached states."""
        pending = asyncio.ensure_future(self._store.submit(request))
        streams = [each.stream for each in request.streams]
        return await self._outcome(pending, dict.fromkeys(streams))

    async def _outcome(
        self,
        pending: asyncio.Future[Appended],
        left: Mapping[Stream, tuple[Known, Any, int] | None],
    ) -> Appended:
        """Wait for an append; ``left`` is what it leaves known of each stream."""
        as_decided = False
        try:
            appended = await asyncio.shield(pending)
            as_decided = not appended.replayed
            self._abreast.wrote(appended)
            for each in left.values():
                if each is not None and as_decided:
                    each[0].made_sure(each[1], each[2], appended.last)
            return appended
        finally:
            for stream, each in left.items():
                if each is None:
                    self.forget(stream.name)
                    continue
                at = each[0]
                at.in_flight -= 1
                if at.newest is pending:
                    at.newest = None
                at.stale = at.stale or not as_decided

    def forget(self, stream: str) -> None:
        """Take a stream for moved; the store calls it before an append fails."""
        self._known.forget(stream)

    async def _load(self, watched: Sequence[Watched[Any]]) -> None:
        """Know every watched stream; the last await before deciding."""
        await self._abreast.keep()
        await self._known.load(watched)
