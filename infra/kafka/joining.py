"""What a member's thread looks after before it polls, for the group's sake."""

from collections.abc import Callable
from typing import Any, Final

from kafka.coordinator.consumer import ConsumerCoordinator


def go_on_joining(of: ConsumerCoordinator) -> None:
    """Let who has begun to join ask on until it is told what it has.

    It begins by itself when it shared out a topic that is not any more what it knew,
    or subscribes to another. kafka-python 3.0.12 takes that for done as soon as it has
    said so; if a poll ends before the answer, it never hears what it was given, beats
    no more, is expelled, and goes on with what is given to others then. And an answer
    that comes between two polls it does not look at: it joins again, and all others
    with it.
    """
    if not of.rebalance_in_progress():
        return
    asked = of._join_task  # noqa: SLF001  nothing public tells
    if asked is not None and asked.succeeded():
        of._join_task = _Kept(asked.value)  # noqa: SLF001
    of.request_rejoin()


def is_silent(of: ConsumerCoordinator) -> bool:
    """Tell whether nobody answers for the group: it is unknown who, or not heard."""
    is_late = of.stable() and of.time_to_next_poll() <= 0
    return bool(of.coordinator_unknown() or is_late)


class _Kept:
    """An answer that is there, but that the next poll has still to wait for."""

    is_done: Final = False

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def succeeded(self) -> bool:
        return False

    def add_callback(self, told: Callable[[bytes], Any]) -> None:
        told(self._answer)

    def add_errback(self, told: Callable[[Exception], Any]) -> None:
        """Nothing went wrong."""
