"""Waits for a number that only grows to reach a mark; nobody polls."""

import asyncio
import heapq
from itertools import count


class Milestones:
    """Who waits for which position, the nearest first."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._ticket = count()
        self._gone = 0

    @property
    def awaited(self) -> bool:
        """Whether anybody waits."""
        return len(self._waiting) > self._gone

    async def wait(self, position: int, timeout: float | None = None) -> bool:  # noqa: ASYNC109  the bound is the point
        """Return True once the position is reached, False at the bound or if given up.

        Without ``timeout`` it waits as long as it takes.
        """
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (position, next(self._ticket), reached))
        try:
            async with asyncio.timeout(timeout):
                await reached
        except TimeoutError:
            return False
        finally:
            if reached.cancelled():
                self._forget()
        return True

    def reach(self, position: int) -> None:
        """Let everyone go who waits for this position or an earlier one."""
        while self._waiting and self._waiting[0][0] <= position:
            _, _, reached = heapq.heappop(self._waiting)
            if reached.done():
                self._gone -= 1
            else:
                reached.set_result(None)

    def _forget(self) -> None:
        """Count one who left, and clear out when most have."""
        self._gone += 1
        if self._gone * 2 > len(self._waiting):
            self._waiting = [each for each in self._waiting if not each[2].done()]
            heapq.heapify(self._waiting)
            self._gone = 0
