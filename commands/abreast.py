"""Keeps what a process knows of streams abreast of what others append.

A process hears of most appends of others, but nothing rests on that: what is decided is
appended only where the streams looked at still stand as they did, and that there is
nothing to do, or that something is refused, is said only after the log was asked.
"""

import asyncio
from collections.abc import Callable, Mapping

from commands.ports import Appended, EventStore

Moved = Callable[[Mapping[str, int] | None], None]
"""Is told the versions streams are at now; None where it is too many to tell."""


class Abreast:
    """How far the log is known, but for one's own appends, which are known anyway.

    As long as nobody else appends, nothing is asked but for ``make_sure``.
    """

    def __init__(self, store: EventStore, moved: Moved) -> None:
        self._store = store
        self._moved = moved
        self._through = store.elsewhere
        self._own: dict[int, int] = {}
        self._turn = asyncio.Lock()
        self._begun = 0

    def wrote(self, appended: Appended) -> None:
        """Note an append of one's own; between others it is seen with them."""
        if appended.replayed or appended.first <= self._through:
            return
        self._own[appended.first] = appended.last
        while (last := self._own.pop(self._through + 1, None)) is not None:
            self._through = last

    async def keep(self) -> None:
        """Learn of what others are known to have appended, if they have."""
        if self._store.elsewhere > self._through:
            await self._look()

    async def make_sure(self) -> None:
        """Learn of all that was appended before this call.

        Those who ask at the same time are answered by one look.
        """
        await self._look()

    async def _look(self) -> None:
        came = self._begun
        async with self._turn:
            if self._begun > came:  # one that began since we came
                return
            self._begun += 1
            moved = await self._store.moved_since(self._through)
            self._moved(moved.versions)
            self._through = max(self._through, moved.through)
            self._own = {f: n for f, n in self._own.items() if f > self._through}
