"""How connections are made, as what role, and what is done when one is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, ParamSpec, TypeVar

import asyncpg
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_delay,
    stop_never,
    wait_random_exponential,
)

from commands.ports import EventStoreError

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE: Final = 30.0
"""Seconds to try to reach the database again before giving up."""

BEAT: Final = 2.0
"""Seconds between two signs of life on a connection that a right goes with."""

DEAD_AFTER: Final = 20.0
"""Seconds without one after which the database ends such a connection."""

LOST: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,  # what a call gets whose connection ends under it
)
"""Errors that mean the connection is gone or cannot be made now."""

FAILED: Final = (*LOST, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Everything a call to the database may raise."""


def is_lost(error: BaseException) -> bool:
    """Tell whether a call failed for its connection, not for what was asked."""
    if isinstance(error, LOST):
        return True
    if isinstance(error, asyncpg.DataError):  # an argument that cannot be sent
        return False
    # "connection is closed" and the like; a closed pool will never come back.
    return isinstance(error, asyncpg.InterfaceError) and "pool is" not in str(error)


def settings_of(role: str | None, name: str) -> dict[str, Any]:
    """Return the server settings of a connection: who it is and what it acts as."""
    settings = {
        "application_name": name,
        "default_transaction_isolation": "read committed",
        "synchronous_commit": "on",
        # Whose process is frozen, or cut off, else keeps its locks for ever.
        "idle_in_transaction_session_timeout": "60s",
    }
    if role is not None:
        settings["role"] = role
    return settings


_AGAIN: Final[dict[str, Any]] = {
    "retry": retry_if_exception(is_lost),
    "wait": wait_random_exponential(multiplier=0.05, max=1.0),
    "reraise": True,
}


async def open_pool(
    dsn: str, *, role: str | None, name: str, size: int
) -> asyncpg.Pool:
    """Open a pool of at most ``size`` connections; the first is made at once."""
    return await asyncpg.create_pool(
        dsn, **sizes(size), server_settings=settings_of(role, name), reset=as_it_is
    )


async def as_it_is(_connection: Any) -> None:
    """Save the round trip of a reset when a connection is given back.

    Who uses a pool leaves nothing to undo: settings are a transaction's, locks too,
    and what is a session's is done on a connection of its own. A transaction that was
    left open is rolled back by the pool in any case.
    """


def sizes(most: int) -> dict[str, int]:
    """Say how many connections a pool makes: one at once, the others when wanted.

    None is made again by the pool itself: it would log a traceback at every attempt
    while the database is away.
    """
    return {"init_size": 1, "min_size": 0, "max_size": most}


async def mortal(connection: asyncpg.Connection) -> None:
    """Have the database end this connection once its process shows no sign of life.

    A process that is frozen, or whose host is cut off, else keeps its locks for ever.
    A statement under way is a sign of life.
    """
    for name in ("idle_session_timeout", "idle_in_transaction_session_timeout"):
        await connection.execute(f"SET {name} = '{DEAD_AFTER}s'")


async def close_pool(pool: asyncpg.Pool) -> None:
    """Let connections that are being given back come home, a second at most."""
    try:
        async with asyncio.timeout(1):
            await pool.close()
    except (TimeoutError, *FAILED):
        pool.terminate()


async def patiently(
    work: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do what may be done twice; again, for a while, as long as connections are lost.

    Raises:
        EventStoreError: the database could not be reached for ``PATIENCE`` seconds.
    """
    again = AsyncRetrying(stop=stop_after_delay(PATIENCE), **_AGAIN)
    try:
        return await again(work, *args, **kwargs)
    except FAILED as error:
        if not is_lost(error):
            raise
        raise EventStoreError("The database cannot be reached") from error


async def tirelessly(
    work: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do what may be done twice; again until the database is back."""
    return await AsyncRetrying(stop=stop_never, **_AGAIN)(work, *args, **kwargs)
