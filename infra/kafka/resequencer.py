"""Puts the records of several partitions back in the order of the log."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

import msgspec

T = TypeVar("T")

MOST: Final = 20_000
"""Most records kept for what is missing before them."""

MOST_BYTES: Final = 32 * 2**20

_MARKS: Final = 8
"""How finely the age of a gap is known: to an eighth of the patience with it."""


class Placed(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """Something of a position of the log; ``size`` is about its bytes in memory."""

    position: int
    value: T
    size: int


class Gap(msgspec.Struct, frozen=True):
    """A position waited for, though later ones are here, and since when.

    ``proven``: every partition is past it, so none will bring it; else ``overdue``
    once it was waited for longer than the patience.
    """

    position: int
    since: float
    proven: bool
    overdue: bool


class Resequencer(Generic[T]):
    """Takes batches of partitions, each in order, and gives out what is next.

    Positions are dense: what is given out continues ``position`` without a gap, each
    once. Whoever polls brings at most ``page`` records at a time, and none of the
    partitions in ``ahead``; then no more than ``most`` are ever kept. A partition that
    is behind a gap is never among them, so what is waited for can always come.
    """

    def __init__(
        self,
        after: int,
        partitions: int,
        *,
        page: int,
        most: int = MOST,
        most_bytes: int = MOST_BYTES,
        patience: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.position = after
        self.duplicates = 0
        self._kept: dict[int, Placed[T]] = {}
        self._bytes = 0
        self._newest = dict.fromkeys(range(partitions), 0)
        # Each partition behind a gap may still bring a page before it is ahead.
        self._full = max(most - partitions * page, 1)
        self._most_bytes = most_bytes
        self._patience = patience
        self._clock = clock
        self._highest = after
        self._marks: deque[tuple[float, int]] = deque()

    @property
    def kept(self) -> int:
        """How many records are in memory."""
        return len(self._kept)

    @property
    def ahead(self) -> frozenset[int]:
        """The partitions to leave alone until what is missing has come."""
        if not self._is_full:
            return frozenset()
        missing = self.position + 1
        return frozenset(p for p, newest in self._newest.items() if newest > missing)

    @property
    def gap(self) -> Gap | None:
        """What is waited for, if anything is."""
        missing = self.position + 1
        if not self._kept or missing in self._kept:
            return None
        self._mark()
        since = self._marks[0][0]
        return Gap(
            missing,
            since,
            all(newest > missing for newest in self._newest.values()),
            self._clock() - since >= self._patience,
        )

    def missing(self) -> range:
        """Return the positions up to the first that is kept; none where it is next."""
        return range(self.position + 1, min(self._kept, default=self.position + 1))

    def __contains__(self, position: int) -> bool:
        """Whether it was here already."""
        return position <= self.position or position in self._kept

    def finish(self, partition: int) -> None:
        """Take note that a partition brings nothing more."""
        self._newest[partition] = sys.maxsize

    def put(self, partition: int, batch: Iterable[Placed[T]]) -> None:
        """Keep what a partition brought, but for what was here already."""
        newest = self._newest[partition]
        for placed in batch:
            newest = max(newest, placed.position)
            self._keep(placed)
        self._newest[partition] = newest
        self._mark()

    def fill(self, found: Iterable[Placed[T]]) -> None:
        """Keep what no partition brought: it was read from the log."""
        for placed in found:
            self._keep(placed)

    def take(self, most: int) -> list[T]:
        """Give out what comes next, at most so many; nothing while there is a gap."""
        taken: list[T] = []
        while len(taken) < most:
            placed = self._kept.pop(self.position + 1, None)
            if placed is None:
                break
            self._bytes -= placed.size
            self.position = placed.position
            taken.append(placed.value)
        return taken

    @property
    def _is_full(self) -> bool:
        return len(self._kept) >= self._full or self._bytes >= self._most_bytes

    def _keep(self, placed: Placed[T]) -> None:
        if placed.position <= self.position or placed.position in self._kept:
            self.duplicates += 1
            return
        self._kept[placed.position] = placed
        self._bytes += placed.size
        self._highest = max(self._highest, placed.position)

    def _mark(self) -> None:
        """Remember how far anybody had come by now; forget what is given out."""
        now = self._clock()
        if not self._marks or (
            self._highest > self._marks[-1][1]
            and now - self._marks[-1][0] >= self._patience / _MARKS
        ):
            self._marks.append((now, self._highest))
        while len(self._marks) > 1 and self._marks[0][1] <= self.position:
            self._marks.popleft()
