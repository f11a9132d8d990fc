"""Forgets, once a day, the client commands nobody will repeat."""

import asyncio
import logging
from typing import Final, Protocol

import asyncpg

from infra.postgres.connection import LOST

_LOG = logging.getLogger("palimpsest.sweep")
_DAY: Final = 86_400.0
_SOON: Final = 60.0


class Log(Protocol):
    """What is swept."""

    async def sweep_commands(self, days: int) -> int: ...


async def sweep_daily(log: Log, days: int) -> None:
    """Forget idempotency keys older than ``days``, for ever; cancel to stop.

    What processors did is remembered for ever (architecture section 2).
    """
    while True:
        try:
            forgotten = await log.sweep_commands(days)
        except (*LOST, asyncpg.InterfaceError) as error:
            _LOG.warning("not swept: %s", type(error).__name__)
            await asyncio.sleep(_SOON)
        else:
            _LOG.info("%s idempotency keys forgotten", forgotten)
            await asyncio.sleep(_DAY)
