"""What is known of streams: their folded states, and how far those go."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from commands.ports import Appended, EventStore
from commands.watched import Watched

_PAGE = 2_000


class Known(msgspec.Struct):
    """A cached state, the version it stands at, and appends under way on it.

    ``sure`` is the state as it is known to be in the log, and its version: from there
    it is folded on when it turns out to be ``stale``. ``position`` is that of the
    newest durable event folded; ``newest`` is the last append under way, which ends
    after those before it.
    """

    state: Any
    version: int
    sure: tuple[Any, int]
    in_flight: int = 0
    position: int = 0
    newest: asyncio.Future[Appended] | None = None
    stale: bool = False

    def made_sure(self, state: Any, version: int, position: int) -> None:
        """Note that the log holds what leads to this state."""
        if version > self.sure[1]:
            self.sure = (state, version)
        self.position = max(self.position, position)


class _Fold(msgspec.Struct, eq=False):
    """A stream that is being read; ``told`` is what version it was said to be at."""

    stream: str
    told: float = 0


class KnownStreams:
    """The states last used, at most so many of them.

    What is said of a stream while it is read may be newer than what is read: then it
    is read on.
    """

    def __init__(self, store: EventStore, limit: int) -> None:
        self._store = store
        self._limit = limit
        self._streams: OrderedDict[str, Known] = OrderedDict()
        self._folding: set[_Fold] = set()

    def of(self, stream: str) -> Known | None:
        """Return what is known of a stream and not stale."""
        known = self._streams.get(stream)
        return None if known is None or known.stale else known

    def all_of(self, watched: Iterable[Watched[Any]]) -> list[Known]:
        """Return what is known of these, of those of which it is."""
        found = (self.of(each.stream.name) for each in watched)
        return [known for known in found if known is not None]

    def forget(self, stream: str) -> None:
        """Take a stream's state for stale: it is folded on when it is wanted."""
        known = self._streams.get(stream)
        if known is not None:
            known.stale = True
        for fold in self._folding:
            if fold.stream == stream:
                fold.told = math.inf

    def moved(self, versions: Mapping[str, int] | None) -> None:
        """Take for stale what is at higher versions than is known; all, for None."""
        for stream in [*self._streams] if versions is None else versions:
            known = self._streams.get(stream)
            if known is not None and (
                versions is None or versions[stream] > known.version
            ):
                known.stale = True
        for fold in self._folding:
            told = math.inf if versions is None else versions.get(fold.stream, 0)
            fold.told = max(fold.told, told)

    async def load(self, watched: Sequence[Watched[Any]]) -> None:
        """Know all of these; when it returns nothing was awaited since."""
        while missing := [w for w in watched if self.of(w.stream.name) is None]:
            for each in missing:
                known = await self._folded(each)
                if self.of(each.stream.name) is None:
                    self._streams[each.stream.name] = known
        for each in watched:
            self._streams.move_to_end(each.stream.name)
        self._evict(keep={each.stream.name for each in watched})

    async def _folded(self, of: Watched[Any]) -> Known:
        """Read a stream to its end; stale if it is said to go further by then."""
        fold = _Fold(of.stream.name)
        self._folding.add(fold)
        try:
            known = await self._fold(of)
        finally:
            self._folding.discard(fold)
        known.stale = fold.told > known.version
        return known

    async def _fold(self, of: Watched[Any]) -> Known:
        """Read a stream to its end, page by page, from where it is surely known."""
        before = self._streams.get(of.stream.name)
        state, version = (of.initial, 0) if before is None else before.sure
        position = 0 if before is None else before.position
        while True:
            page = await self._store.read_stream(
                of.stream.name, after=version, limit=_PAGE
            )
            for recorded in page:
                state = of.after(state, recorded.event)
                version, position = recorded.version, recorded.position
            if len(page) < _PAGE:
                return Known(state, version, (state, version), position=position)

    def _evict(self, keep: set[str]) -> None:
        """Forget the least recent streams that have no append under way."""
        excess = len(self._streams) - self._limit
        if excess <= 0:
            return
        idle = (
            name
            for name, known in self._streams.items()
            if known.in_flight == 0 and name not in keep
        )
        for name in [name for name, _ in zip(idle, range(excess), strict=False)]:
            del self._streams[name]


async def written(under_way: set[asyncio.Future[Appended]]) -> bool:
    """Wait for appends; True if all were written as they were decided."""
    await asyncio.wait(under_way)
    return all(
        not each.cancelled() and each.exception() is None and not each.result().replayed
        for each in under_way
    )
