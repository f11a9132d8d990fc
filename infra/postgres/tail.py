"""The end of the log as this process knows it, and who follows it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from domain.recorded import Recorded

KEPT_EVENTS: Final = 4_000
KEPT_BYTES: Final = 16 * 2**20


class Follower:
    """What one reader was handed and has not taken yet; within bounds.

    A reader that is too slow loses what was kept for it and reads the log instead.
    """

    def __init__(self, *, keeps: bool) -> None:
        self.woken = asyncio.Event()
        self._keeps = keeps
        self._kept: deque[tuple[Sequence[Recorded], int]] = deque()
        self._events = 0
        self._bytes = 0

    def hand(self, batch: Sequence[Recorded], size: int) -> None:
        """Keep a committed batch for the reader, or forget all if it is too much."""
        self.woken.set()
        if not self._keeps:
            return
        self._kept.append((batch, size))
        self._events += len(batch)
        self._bytes += size
        if self._events > KEPT_EVENTS or self._bytes > KEPT_BYTES:
            self._kept.clear()
            self._events = self._bytes = 0

    def take(self, after: int, limit: int) -> list[Recorded]:
        """Take what continues ``after`` without a gap, at most ``limit`` events."""
        taken: list[Recorded] = []
        while self._kept:
            batch, size = self._kept[0]
            if batch[-1].position > after:
                new = batch[max(0, after + 1 - batch[0].position) :]
                if new[0].position != after + 1 or len(taken) + len(new) > limit:
                    break
                taken.extend(new)
                after = taken[-1].position
            self._kept.popleft()
            self._events -= len(batch)
            self._bytes -= size
        return taken


class Tail:
    """The highest position known, and the followers it wakes.

    ``committed`` is the highest position this process committed itself, ``elsewhere``
    the highest one that was, or may have been, committed by another.
    """

    def __init__(self) -> None:
        self.head = 0
        self.committed = 0
        self.elsewhere = 0
        self._followers: set[Follower] = set()

    def follow(self, *, keeps: bool = True) -> Follower:
        """Be woken when the log grows; without ``keeps`` nothing is handed over."""
        follower = Follower(keeps=keeps)
        self._followers.add(follower)
        return follower

    def leave(self, follower: Follower) -> None:
        self._followers.discard(follower)

    def publish(self, batch: Sequence[Recorded], size: int) -> None:
        """Hand a batch committed here, about ``size`` bytes, to every follower."""
        if batch[0].position > self.head + 1:
            self.elsewhere = batch[0].position - 1
        self.committed = batch[-1].position
        self.head = max(self.head, self.committed)
        for follower in self._followers:
            follower.hand(batch, size)

    async def wait_past(
        self,
        follower: Follower,
        position: int,
        timeout: float,  # noqa: ASYNC109  the bound is the point
        head: Callable[[], Awaitable[int]],
    ) -> bool:
        """Return True once the log goes beyond a position, False at the bound.

        At the bound the log itself is asked by ``head``, in case nobody said that it
        grew.
        """
        try:
            async with asyncio.timeout(timeout):
                while self.head <= position:
                    follower.woken.clear()
                    await follower.woken.wait()
        except TimeoutError:
            self.advance(await head())
        return self.head > position

    def advance(self, head: int) -> None:
        """Wake followers for what another process committed."""
        if head > self.head:
            self.head = self.elsewhere = head
            for follower in self._followers:
                follower.woken.set()
