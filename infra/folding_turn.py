"""Of several processes that fold the same views one does, and the others watch it.

Two that fold would each undo half of what they do: a checkpoint is moved only from
where it was found. The turn is a lock of the folding connection: it goes with it,
however that ends, and the database ends it where its process shows no life.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncpg

from infra.postgres.checkpoints import FOLDED
from infra.postgres.connection import BEAT, FAILED, mortal
from infra.postgres.lock_key import lock_key
from infra.stopping import stop

_OURS: Final = 0x5D7EA7

_TAKE: Final = "SELECT pg_try_advisory_lock($1, $2)"

_AT: Final = """
SELECT coalesce(min(position), 0) FROM checkpoint WHERE projection = ANY($1::text[])
"""

_SOONEST: Final = 0.02
_LATEST: Final = 0.25
"""Seconds between two tries: so soon is a killed process followed."""


async def until_ours(
    connection: asyncpg.Connection,
    group: str,
    names: Sequence[str],
    reached: Callable[[int], None],
) -> bool:
    """Wait until no other process folds a group of views; False if none did.

    Meanwhile ``reached`` is told how far the group is, each time it is further.

    Raises:
        asyncpg.PostgresError, asyncpg.InterfaceError, OSError: the connection is lost.
    """
    await mortal(connection)
    lock = (_OURS, lock_key(group))
    if await connection.fetchval(_TAKE, *lock):
        return False

    def hear(_by: Any, _pid: int, _channel: str, told: object) -> None:
        name, _, position = str(told).partition(" ")
        if name == group and position.isdecimal():
            reached(int(position))

    await connection.add_listener(FOLDED, hear)
    try:
        pause = _SOONEST
        while not await connection.fetchval(_TAKE, *lock):
            reached(await connection.fetchval(_AT, list(names)))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LATEST)
    finally:
        with suppress(*FAILED):
            await connection.remove_listener(FOLDED, hear)
    return True


@asynccontextmanager
async def beating(connection: asyncpg.Connection) -> AsyncIterator[asyncio.Lock]:
    """Show that this process lives, beside what it does with the connection.

    Whoever uses the connection holds the lock, which costs nothing while it is free: a
    task for each wait made folding a fifth slower. Where the connection is lost it is
    terminated, so that its next use fails.
    """
    using = asyncio.Lock()

    async def beat() -> None:
        try:
            while True:
                await asyncio.sleep(BEAT)
                async with using:
                    await connection.execute("SELECT")
        except FAILED:
            connection.terminate()

    task = asyncio.create_task(beat(), name="signs of life")
    try:
        yield using
    finally:
        await stop(task)
