"""How views that may lag fold several commits at once, instead of one by one."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

from infra.telemetry.observers import Fold
from infra.traffic import GiveWay

CLOSE: Final = 0.25
"""Seconds within which a fold is taken to follow upon the one before."""

REST: Final = 0.1
"""Seconds of rest then: what it may add to how late such views are."""

MANY: Final = 250
"""Events in a batch, or still to come, from which there is no rest: it is a backlog."""


class Leisure:
    """Rests after a fold that follows close upon another, so that more gathers.

    A fold is a transaction that moves checkpoints and tells everybody who watches, and
    costs about the same whether it shows one commit or ten. What comes singly is shown
    at once, and a backlog is folded without a rest. In how large batches that comes
    does not tell: partitions of a topic come one by one. So ``head`` is asked, which
    is the highest position known. ``give_way`` is called as before.
    """

    def __init__(self, give_way: GiveWay, head: Callable[[], int]) -> None:
        self._give_way = give_way
        self._head = head
        self._folded = -CLOSE
        self._rests = False

    def folded(self, fold: Fold) -> None:
        """Note a fold."""
        now = monotonic()
        left = self._head() - fold.batch[-1].position
        is_backlog = max(left, len(fold.batch)) >= MANY
        self._rests = now - self._folded < CLOSE and not is_backlog
        self._folded = now

    async def give_way(self, worked: float) -> None:
        """Fulfil ``GiveWay``: stand still for requests, or for more to fold."""
        await self._give_way(worked)
        if self._rests:
            await asyncio.sleep(REST)
