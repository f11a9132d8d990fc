"""The one decide loop: load states, decide, append; conflict means decide again.

States are folded from streams and cached with the versions they were folded to.
A decision is taken and its append submitted without an await in between, and the
cache then holds the state as it will be; so the next command on the same stream
is decided at once and shares the commit. Should an append fail, everything
decided upon it fails too, is loaded anew and decided again.
"""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

import msgspec

from commands.known import Known, fold
from commands.ports import (
    ANY,
    Appended,
    AppendRequest,
    CommandIdentity,
    EventStore,
    KeyReused,
    StreamAppend,
    WrongExpectedVersion,
)
from domain.erasure import StreamErased
from domain.errors import DomainError
from domain.event import Event
from domain.names import Stream
from domain.recorded import Cause

S = TypeVar("S")

Decision = Mapping[Stream, Sequence[Event]]

_ATTEMPTS = 12


class Watched(msgspec.Struct, Generic[S], frozen=True):
    """A stream a decision looks at, and how its state is folded.

    Where it is ``exact``, what is decided is appended only if nothing was added to it
    meanwhile, by any process, also if the decision adds nothing to it itself.
    """

    stream: Stream
    initial: S
    evolve: Callable[[S, Event], S]
    exact: bool = False

    def after(self, state: S, event: Event) -> S:
        """Fold one event; where a stream is erased, everything begins anew."""
        if isinstance(event, StreamErased):
            state = self.initial
        return self.evolve(state, event)


class Reason(msgspec.Struct, frozen=True):
    """Why something is decided: the cause of its events and its identity.

    ``cause_of`` tells an event's own cause where one decision belongs to several
    stories; ``cause`` is then what is left to them all.
    """

    cause: Cause
    command: CommandIdentity | None = None
    cause_of: Callable[[Event], Cause] | None = None


class Decide:
    """Decides commands against folded streams; safe for many callers at once."""

    def __init__(self, store: EventStore, *, cached_streams: int = 50_000) -> None:
        self._store = store
        self._limit = cached_streams
        self._cache: OrderedDict[str, Known] = OrderedDict()
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
        """
        for attempt in range(_ATTEMPTS):
            seen = await self.seen(tenant, reason)
            if seen is not None:
                return seen
            await self._load(watched)
            states = [self._cache[each.stream.name].state for each in watched]
            try:
                decided = {s: tuple(e) for s, e in decision(states).items() if e}
            except DomainError:
                first = await self._meanwhile(tenant, watched, reason)
                if first is None:
                    raise
                return first
            if not decided:
                under_way = self._under_way(watched)
                if not under_way:
                    return None
                if await _written(under_way):
                    return await self.seen(tenant, reason)
                continue
            try:
                return await self._append(tenant, watched, decided, reason)
            except WrongExpectedVersion:
                if attempt == _ATTEMPTS - 1:
                    raise
                await asyncio.sleep(random.uniform(0, 0.002 * 2**attempt))  # noqa: S311  jitter, not a secret
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
            await _written(under_way)
        return await self.seen(tenant, reason)

    async def look(self, watched: Watched[S]) -> S:
        """Return one stream's state as it stands, appends under way included."""
        await self._load([watched])
        return cast("S", self._cache[watched.stream.name].state)

    async def look_anew(self, watched: Watched[S]) -> S:
        """Return one stream's state as it is in the log, whatever is known of it."""
        self.forget(watched.stream.name)
        return await self.look(watched)

    def position_of(self, watched: Sequence[Watched[Any]]) -> int:
        """Return the newest durable position folded into these states, 0 if none."""
        known = (self._cache.get(each.stream.name) for each in watched)
        return max((at.position for at in known if at is not None), default=0)

    def _under_way(
        self, watched: Sequence[Watched[Any]]
    ) -> set[asyncio.Future[Appended]]:
        """Return the appends these states rest on that are not durable yet."""
        known = (self._cache.get(each.stream.name) for each in watched)
        return {at.newest for at in known if at is not None and at.newest is not None}

    async def seen(self, tenant: str, reason: Reason) -> Appended | None:
        """Return what a command wrote when it was carried out before.

        Raises:
            KeyReused: its id then stood for another request.
        """
        command = reason.command
        if command is None:
            return None
        seen = await self._store.find_command(tenant, command.id)
        if seen is None:
            return None
        if seen.request_hash != command.request_hash:
            raise KeyReused("This Idempotency-Key was used with another request")
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
        known = {
            stream: self._cache.get(stream.name) if stream in folds else None
            for stream in decided
        }
        expected = {
            stream: at.version if at is not None else ANY
            for stream, at in known.items()
        }
        for each in watched:
            if each.exact and each.stream not in decided:
                expected[each.stream] = self._cache[each.stream.name].version
        request = _request(tenant, decided, expected, reason)
        pending = asyncio.ensure_future(self._store.submit(request))
        for stream, events in decided.items():
            at = known[stream]
            if at is None:
                continue
            for event in events:
                at.state = folds[stream].after(at.state, event)
            at.version += len(events)
            at.in_flight += 1
            at.newest = pending
        return await self._outcome(pending, known)

    async def _outcome(
        self, pending: asyncio.Future[Appended], known: Mapping[Stream, Known | None]
    ) -> Appended:
        as_decided = False
        try:
            appended = await asyncio.shield(pending)
            as_decided = not appended.replayed
            for at in known.values():
                if at is not None and as_decided:
                    at.position = max(at.position, appended.last)
            return appended
        finally:
            for stream, at in known.items():
                if at is None:
                    self.forget(stream.name)
                    continue
                at.in_flight -= 1
                if at.newest is pending:
                    at.newest = None
                if not as_decided and self._cache.get(stream.name) is at:
                    del self._cache[stream.name]

    def forget(self, stream: str) -> None:
        """Drop a stream's cached state; the store calls it before an append fails."""
        self._cache.pop(stream, None)

    async def _load(self, watched: Sequence[Watched[Any]]) -> None:
        """Bring every watched stream into the cache; the last await before deciding."""
        while missing := [w for w in watched if w.stream.name not in self._cache]:
            for each in missing:
                known = await fold(
                    self._store, each.stream.name, each.initial, each.after
                )
                self._cache.setdefault(each.stream.name, known)
        for each in watched:
            self._cache.move_to_end(each.stream.name)
        self._evict(keep={each.stream.name for each in watched})

    def _evict(self, keep: set[str]) -> None:
        """Forget the least recent streams that have no append under way."""
        excess = len(self._cache) - self._limit
        if excess <= 0:
            return
        idle = (
            name
            for name, known in self._cache.items()
            if known.in_flight == 0 and name not in keep
        )
        for name in [name for name, _ in zip(idle, range(excess), strict=False)]:
            del self._cache[name]


def _request(
    tenant: str,
    decided: Mapping[Stream, tuple[Event, ...]],
    expected: Mapping[Stream, int],
    reason: Reason,
) -> AppendRequest:
    """Return what is asked of the log: these versions, and on some of them events."""
    return AppendRequest(
        tenant=tenant,
        streams=tuple(
            StreamAppend(
                stream,
                version,
                events := decided.get(stream, ()),
                None
                if reason.cause_of is None
                else tuple(map(reason.cause_of, events)),
            )
            for stream, version in expected.items()
        ),
        cause=reason.cause,
        command=reason.command,
    )


async def _written(under_way: set[asyncio.Future[Appended]]) -> bool:
    """Wait for appends; True if all were written as they were decided.

    To find nothing to do is an answer too, and must not rest on an event that may
    yet fail to be written.
    """
    await asyncio.wait(under_way)
    return all(
        not each.cancelled() and each.exception() is None and not each.result().replayed
        for each in under_way
    )
