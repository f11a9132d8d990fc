"""A thread for calls that block, which no process waits for at its end.

Python waits for the threads of its executors before a process ends, and a call to
brokers that are silent takes as long as its bounds allow: longer than a supervisor.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

_Asked = tuple[Callable[[], Any], Future[Any]]


class Daemon:
    """Does one call after another, until the last."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[_Asked | None] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True, name=name).start()

    async def do(self, call: Callable[[], T]) -> T:
        """Do it, and return what it returns or raise what it raises."""
        done: Future[T] = Future()
        self._calls.put((call, done))
        return await asyncio.wrap_future(done)

    def end(self, call: Callable[[], object] = lambda: None) -> None:
        """Do this as the last, once what is under way is over; nobody waits for it."""
        self._calls.put((call, Future()))
        self._calls.put(None)

    def _run(self) -> None:
        while (asked := self._calls.get()) is not None:
            call, done = asked
            if not done.set_running_or_notify_cancel():
                continue
            try:
                done.set_result(call())
            except BaseException as error:  # noqa: BLE001  the caller's, not the thread's
                done.set_exception(error)


async def aside(call: Callable[[], T]) -> T:
    """Do one call in such a thread of its own."""
    daemon = Daemon("palimpsest-aside")
    try:
        return await daemon.do(call)
    finally:
        daemon.end()
