"""One question for all who ask at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Together(Generic[K, V]):
    """Asks once for all who ask within a moment, and tells each their answer.

    ``ask`` answers in the order it is asked; what it raises is raised to all of them.
    ``moment`` is in seconds; none are those who are woken by the same.
    """

    def __init__(
        self, ask: Callable[[Sequence[K]], Awaitable[Sequence[V]]], moment: float = 0
    ) -> None:
        self._ask = ask
        self._moment = moment
        self._waiting: list[tuple[K, asyncio.Future[V]]] = []
        self._asking: set[asyncio.Task[Any]] = set()

    async def __call__(self, what: K) -> V:
        """Return the answer to this."""
        answer: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._waiting.append((what, answer))
        if len(self._waiting) == 1:
            task = asyncio.create_task(self._all())
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        return await answer

    async def _all(self) -> None:
        await asyncio.sleep(self._moment)
        waiting, self._waiting = self._waiting, []
        try:
            answers = await self._ask([what for what, _ in waiting])
        except BaseException as error:  # noqa: BLE001  theirs who ask
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), found in zip(waiting, answers, strict=True):
            if not answer.done():
                answer.set_result(found)
