"""How views that may lag fold several commits at once, instead of one by one."""

import asyncio
from time import monotonic
from typing import Final

from infra.telemetry.observers import Fold
from infra.traffic import GiveWay

CLOSE: Final = 0.25
"""Seconds within which a fold is taken to follow upon the one before."""

REST: Final = 0.1
"""Seconds of rest then: what it may add to how late such views are."""

_MANY: Final = 250
"""Events in a batch after which there is no rest: there are more already."""


class Leisure:
    """Rests after a fold that follows close upon another, so that more gathers.

    A fold is a transaction that moves checkpoints and tells everybody who watches, and
    costs about the same whether it shows one commit or ten. What comes singly is shown
    at once, and a backlog is folded without a rest. ``give_way`` is called as before.
    """

    def __init__(self, give_way: GiveWay) -> None:
        self._give_way = give_way
        self._folded = -CLOSE
        self._rests = False

    def folded(self, fold: Fold) -> None:
        """Note a fold."""
        now = monotonic()
        self._rests = now - self._folded < CLOSE and len(fold.batch) < _MANY
        self._folded = now

    async def give_way(self, worked: float) -> None:
        """Fulfil ``GiveWay``: stand still for requests, or for more to fold."""
        await self._give_way(worked)
        if self._rests:
            await asyncio.sleep(REST)
