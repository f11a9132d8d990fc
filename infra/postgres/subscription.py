"""Reads the log as it grows: every event once, in order, whoever committed it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from domain.recorded import Recorded
from infra.postgres.connection import tirelessly
from infra.postgres.reader import Reader
from infra.postgres.tail import Follower, Tail

POLL: Final = 1.0
"""Seconds after which the log is looked at even if nobody says it grew."""

PAGE: Final = 500


class Subscription:
    """Batches of events after a position, without end: ``async for batch in ...``.

    What this process commits is handed over without being read again, as long as it
    continues what was read; everything else is read from the log in pages. Losing
    the database only delays it, however long that takes.

    Raises:
        Unreadable: the next event is damaged; all before it were handed over.
    """

    def __init__(
        self,
        reader: Reader,
        tail: Tail,
        after: int,
        *,
        page: int = PAGE,
        poll: float = POLL,
    ) -> None:
        self._reader = reader
        self._tail = tail
        self._page = page
        self._poll = poll
        self.position = after

    async def __aiter__(self) -> AsyncIterator[Sequence[Recorded]]:
        follower = self._tail.follow()
        try:
            while True:
                batch = await self._next(follower)
                if batch:
                    self.position = batch[-1].position
                    yield batch
                else:
                    await self._wait(follower)
        finally:
            self._tail.leave(follower)

    async def _next(self, follower: Follower) -> Sequence[Recorded]:
        follower.woken.clear()
        batch = follower.take(self.position, self._page)
        if batch or self._tail.head <= self.position:
            return batch
        return await tirelessly(
            self._reader.read_first, after=self.position, limit=self._page
        )

    async def _wait(self, follower: Follower) -> None:
        try:
            async with asyncio.timeout(self._poll):
                await follower.woken.wait()
        except TimeoutError:
            self._tail.advance(await tirelessly(self._reader.head))
