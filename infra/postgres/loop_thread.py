"""An event loop on a thread of its own, for callers that cannot await."""

import asyncio
from collections.abc import Coroutine
from threading import Lock, Thread
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for synchronous callers, from ``start`` to ``close``."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._closing = Lock()
        self._closed = False
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Block until the work is done and return its result.

        Raises:
            RuntimeError: this was closed before.
            concurrent.futures.CancelledError: it is closed meanwhile.
        """
        with self._closing:
            if self._closed:
                work.close()
                raise RuntimeError("this loop is closed")
            running = asyncio.run_coroutine_threadsafe(work, self._loop)
        return running.result()

    def close(self) -> None:
        """Stop the loop; work still running is cancelled, so that nobody waits on."""
        with self._closing:
            self._closed = True
            ended = asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop)
        ended.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
