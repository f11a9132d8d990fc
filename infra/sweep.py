"""Forgets, once a day, what clients began or did so long ago that nobody repeats it."""

import asyncio
import logging
from typing import Final, Protocol

import asyncpg

from commands.ports import EventStoreError
from infra.postgres.connection import LOST

_LOG = logging.getLogger("palimpsest.sweep")
_DAY: Final = 86_400.0
_SOON: Final = 60.0


class Log(Protocol):
    """What is swept."""

    async def sweep_commands(self, days: int) -> int: ...

    async def sweep_calls(self, days: int) -> int: ...


class Clones(Protocol):
    """What is deleted."""

    async def give_up(self, days: int) -> int: ...


async def sweep_daily(log: Log, clones: Clones, days: int, calls_days: int) -> None:
    """Forget keys, and clones that broke off, older than ``days``; cancel to stop.

    What models answered is forgotten after ``calls_days``.
    What processors did is remembered for ever (architecture section 2).
    """
    while True:
        try:
            forgotten = await log.sweep_commands(days)
            given_up = await clones.give_up(days)
            await log.sweep_calls(calls_days)
        except (*LOST, asyncpg.InterfaceError, EventStoreError) as error:
            _LOG.warning("not swept: %s", type(error).__name__)
            await asyncio.sleep(_SOON)
        else:
            _LOG.info("%s idempotency keys forgotten", forgotten)
            if given_up:
                _LOG.info("%s clones that broke off deleted", given_up)
            await asyncio.sleep(_DAY)
