"""Tells the log's database how far the roll-ups are, and that somebody counts.

They may live in a database of their own, so no query sees both; what is told is a
moment old, and stays where it is when nobody counts any more.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import asyncpg

from infra.analytics.store import RollUps
from infra.postgres.connection import FAILED
from infra.roles import ANALYTICS
from infra.stopping import stop

_LOG: Final = logging.getLogger("palimpsest.analytics")

EVERY: Final = 2.0
"""Seconds between two signs."""

_WITHIN: Final = 2.0
"""Seconds the last one may take."""

_SEEN: Final = """
WITH quick AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS commit
)
INSERT INTO work.consumer (name, kind, position)
SELECT $1, 'roll-ups', $2 FROM quick WHERE quick.commit = 'off'
ON CONFLICT (name) DO UPDATE SET position = excluded.position, seen_at = now()
"""


@asynccontextmanager
async def sign_of_life(log: asyncpg.Pool, roll_ups: RollUps) -> AsyncIterator[None]:
    """Tell now and then where the roll-ups stand, and once more at the end."""
    telling = asyncio.create_task(_tell_on(log, roll_ups), name="sign of life")
    try:
        yield
    finally:
        await stop(telling)
        with suppress(TimeoutError):
            async with asyncio.timeout(_WITHIN):
                await _tell(log, roll_ups)


async def _tell_on(log: asyncpg.Pool, roll_ups: RollUps) -> None:
    while True:
        await _tell(log, roll_ups)
        await asyncio.sleep(EVERY)


async def _tell(log: asyncpg.Pool, roll_ups: RollUps) -> None:
    try:
        stands = await roll_ups.stands()
        await log.execute(_SEEN, ANALYTICS, stands.position)
    except FAILED as away:
        _LOG.warning("how far is counted is not told: %s", type(away).__name__)
