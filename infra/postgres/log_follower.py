"""Reads the log page by page as it grows, at the reader's own pace.

It is for who goes on past what is damaged: that comes as ``Damaged``.
"""

from collections.abc import Sequence

from domain.recorded import Recorded
from infra.postgres.reader import Reader
from infra.postgres.tail import Tail


class LogFollower:
    """One reader's place at the end of the log; close it when done.

    What this process commits is handed over without being read again, as long as it
    continues what was asked for before.
    """

    def __init__(self, reader: Reader, tail: Tail) -> None:
        self._reader = reader
        self._tail = tail
        self._follower = tail.follow()

    def close(self) -> None:
        self._tail.leave(self._follower)

    async def next_page(self, *, after: int, limit: int) -> Sequence[Recorded]:
        """Return what follows a position, from memory if it is there."""
        return self._follower.take(after, limit) or await self._reader.read_each(
            after=after, limit=limit
        )

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]:
        """Return what follows any position, from the log."""
        return await self._reader.read_each(after=after, limit=limit)

    async def newest(self) -> int:
        """Return the highest position there is, and note it."""
        head = await self._reader.head()
        self._tail.advance(head)
        return head

    def heard(self, position: int) -> None:
        """Note that the log goes at least so far, whoever appended to it."""
        self._tail.advance(position)

    async def wait_past(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109  the bound is the point
        """Return True once the log goes beyond a position, False at the bound.

        At the bound the log itself is asked, in case nobody said that it grew.
        """
        head = self._reader.head
        return await self._tail.wait_past(self._follower, position, timeout, head)
