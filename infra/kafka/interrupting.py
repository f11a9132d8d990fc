"""Polls that wait for records, and no longer than nobody wants anything else."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.future import Future
from kafka.util import Timer

_OVER: Final = (KafkaError, OSError, RuntimeError)
"""What a client says that was closed meanwhile: it waits for nothing."""


class Interruptible:
    """Polls of one thread, which any other may end.

    kafka-python 3.0.12 has no way to: a poll waits for the fetches under way, over and
    over. One that never brings anything is put among them, and is answered by whoever
    interrupts.
    """

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        self._is_wanted = is_wanted
        self._waiting: tuple[Any, Future] | None = None

    def poll(self, consumer: KafkaConsumer, timeout_ms: int, most: int) -> Any:
        """Return at most so many records; none where there is something else to do."""
        ends = Future()
        consumer._fetcher._fetch_futures.append(ends)  # noqa: SLF001  nothing public
        self._waiting = consumer._net, ends  # noqa: SLF001
        try:
            # Looked at once it can be interrupted: what comes later interrupts.
            timer = Timer(0 if self._is_wanted() else timeout_ms)
            while True:
                found = consumer._poll_once(timer, most)  # noqa: SLF001
                if found or timer.expired or self._is_wanted():
                    return found
        finally:
            self._waiting = None
            ends.success(None)

    def interrupt(self) -> None:
        """End the poll under way, if there is one; call from another thread."""
        if (waiting := self._waiting) is None:
            return
        net, ends = waiting

        def end() -> None:
            ends.success(None)

        with suppress(*_OVER):
            net.call_soon_threadsafe(end)
