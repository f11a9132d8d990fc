"""One process at a time has a dream: which one is told by a lock of the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from infra.postgres.lock_key import lock_key

_OURS: Final = 0x5D7EA3

_TAKE: Final = "SELECT pg_try_advisory_lock($1, $2)"


@asynccontextmanager
async def lease(dsn: str, workspace: str, dream: str) -> AsyncIterator[bool]:
    """Yield True where nobody else has this dream, and keep others from it meanwhile.

    The lock is the connection's: it goes with the process, however that ends. Where
    it goes before, the task that held it is cancelled: another may have begun.
    """
    holder = asyncio.current_task()

    def lost(_: object) -> None:
        if holder is not None:
            holder.cancel()

    key = lock_key(f"{workspace}/{dream}")
    connection = await asyncpg.connect(
        dsn, server_settings={"application_name": "palimpsest-dream"}
    )
    try:
        taken = bool(await connection.fetchval(_TAKE, _OURS, key))
        if taken:
            connection.add_termination_listener(lost)
        yield taken
    finally:
        connection.remove_termination_listener(lost)
        await connection.close()
