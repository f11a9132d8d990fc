"""What was fetched of one partition and is not done by every processor yet."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

import msgspec

from domain.recorded import Recorded
from infra.kafka.place import Place

KEPT: Final = 1_000
"""Events kept of a partition before the slowest processor is left to the log."""


class Arrived(msgspec.Struct, frozen=True):
    """An event, the offset after it, and about how many bytes it takes."""

    recorded: Recorded
    next: int
    size: int


class Portion(msgspec.Struct, frozen=True):
    """Events of a range of shards, in order: all there are up to ``through``.

    ``event`` is the id of the event at ``through``; what follows is at the offset
    ``next`` or beyond, where that is known.
    """

    events: Sequence[Recorded]
    through: int
    event: UUID | None
    next: int | None = None


class Inlet:
    """All events of a partition after ``floor`` and up to ``through``, in order."""

    def __init__(self, place: Place, shards: range, floor: int, offset: int) -> None:
        self.place = place
        self.shards = shards
        self.floor = floor
        self.through = floor
        self.paused = False
        self.size = 0
        self._event: UUID | None = None
        self._next = offset
        self._arrived: list[Arrived] = []
        self._positions: list[int] = []
        self._seen: dict[tuple[str, int], int] = {}

    def offer(self, arrived: Sequence[Arrived]) -> None:
        """Keep what is new; what was there before is dropped by its position."""
        for each in arrived:
            self._next = max(self._next, each.next)
            if each.recorded.position <= self.through:
                continue
            self._arrived.append(each)
            self._positions.append(each.recorded.position)
            self.size += each.size
            self.through, self._event = each.recorded.position, each.recorded.id

    def is_quiet(self, tail: int, position: int, event: UUID) -> None:
        """Note that up to ``position`` the last event of the partition is ``tail``."""
        if self.through >= tail and position > self.through:
            self.through, self._event = position, event

    def take(self, after: int, low: int, high: int, limit: int) -> Portion | None:
        """Return what follows a position; None if only the log has all of it."""
        if after < self.floor:
            return None
        at = bisect_right(self._positions, after)
        events: list[Recorded] = []
        for each in self._arrived[at:]:
            if low <= each.recorded.shard < high:
                if len(events) >= limit:
                    last = events[-1]
                    return Portion(events, last.position, last.id, self._after(last))
                events.append(each.recorded)
        if self.through <= after:
            return Portion((), after, None)
        return Portion(events, self.through, self._event, self._next)

    def has_seen(self, who: str, low: int, position: int) -> None:
        """Note how far a processor came from ``low`` on; forget what all have seen."""
        self._seen[who, low] = position
        self._forget(min(self._seen.values()))
        if len(self._arrived) > KEPT:
            self._forget(max(self._seen.values()))

    def leave(self, who: str) -> None:
        """Wait for a processor no more."""
        for each in [key for key in self._seen if key[0] == who]:
            del self._seen[each]

    def unseen(self) -> int:
        """Return how many events no processor has seen."""
        furthest = max(self._seen.values(), default=self.floor)
        return len(self._positions) - bisect_right(self._positions, furthest)

    def _after(self, recorded: Recorded) -> int:
        at = bisect_right(self._positions, recorded.position)
        return self._arrived[at - 1].next

    def _forget(self, through: int) -> None:
        at = bisect_right(self._positions, through)
        if at:
            self.floor = self._positions[at - 1]
            self.size -= sum(each.size for each in self._arrived[:at])
            del self._arrived[:at], self._positions[:at]


def pressed(
    inlets: Iterable[Inlet], most_bytes: int
) -> tuple[list[Inlet], list[Inlet]]:
    """Let inlets stand still that nobody keeps up with, and others go on; say which."""
    inlets = list(inlets)
    full = sum(each.size for each in inlets) > most_bytes
    still = [
        each
        for each in inlets
        if not each.paused and each.unseen() >= (1 if full else KEPT)
    ]
    on = [
        each
        for each in inlets
        if each.paused and each.unseen() < (1 if full else KEPT // 2)
    ]
    for each in still:
        each.paused = True
    for each in on:
        each.paused = False
    return still, on
