"""A right that one process has at a time: which one, a lock of the database tells."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, TypeVar

import asyncpg
import msgspec

from infra.postgres.connection import BEAT, DEAD_AFTER, FAILED, mortal
from infra.postgres.lock_key import lock_key
from infra.stopping import stop

T = TypeVar("T")

_OURS: Final = 0x5D7EA4

_TAKE: Final = "SELECT pg_try_advisory_lock($1, $2)"

_AGAIN: Final = 1.0
"""Seconds between two tries of who waits; a killed leader is followed that soon."""

_ANSWERS_WITHIN: Final = DEAD_AFTER / 2
"""Seconds a sign of life may take; a database that is slow ends no right itself."""

_HOLDER: Final = """
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 2
        AND pg_locks.database = (
            SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid = $1::bigint::oid AND objid = ($2::bigint & 4294967295)::oid
"""
_LEADER: Final = f"""
SELECT CASE WHEN backend_start IS NULL THEN 'a host that is not shown'
    ELSE coalesce(host(client_addr), 'this machine') END AS host, backend_start AS since
{_HOLDER}
"""


class LeadershipLost(Exception):  # noqa: N818  says what happened
    """The database was lost, or another process took the right over."""


class Leader(msgspec.Struct, frozen=True):
    """Who has a right: the host it connects from, and since when.

    Postgres shows neither to who may not see the sessions of others.
    """

    host: str
    since: datetime | None


class Leadership:
    """The right to do what is named, until ``lost`` is set."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Do work, and break it off where the right is lost before it is done.

        Raises:
            LeadershipLost
        """
        working = asyncio.create_task(work)
        losing = asyncio.create_task(self.lost.wait())
        try:
            await asyncio.wait({working, losing}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise LeadershipLost
        finally:
            await stop(working, losing)


@asynccontextmanager
async def lead(dsn: str, what: str) -> AsyncIterator[Leadership]:
    """Wait until nobody else leads ``what``, then lead it until the block is left.

    The lock is the connection's: it goes with the process, however that ends, and the
    database ends it where its process shows no life. Where it goes before, ``lost`` is
    set, and whoever leads stops at once: another may have begun. What must not be done
    twice even then is fenced by what it writes to.

    Raises:
        OSError, asyncpg.PostgresError: the database cannot be reached.
    """
    key = lock_key(what)
    connection = await asyncpg.connect(
        dsn,
        command_timeout=DEAD_AFTER,
        server_settings={"application_name": "palimpsest-leader"},
    )
    leadership = Leadership()

    def lose(_: object) -> None:
        leadership.lost.set()

    beating: asyncio.Task[None] | None = None
    try:
        await mortal(connection)
        while not await connection.fetchval(_TAKE, _OURS, key):  # noqa: ASYNC110
            await asyncio.sleep(_AGAIN)
        connection.add_termination_listener(lose)
        beating = asyncio.create_task(_beat(connection, leadership))
        yield leadership
    finally:
        if beating is not None:
            await stop(beating)
        connection.remove_termination_listener(lose)
        connection.terminate()


async def leader_of(database: asyncpg.Pool, what: str) -> Leader | None:
    """Return who leads ``what`` now, None if nobody does."""
    row = await database.fetchrow(_LEADER, _OURS, lock_key(what))
    return None if row is None else Leader(row["host"], row["since"])


async def _beat(connection: asyncpg.Connection, leadership: Leadership) -> None:
    """Show that this process lives, and find out whether the database does."""
    while not leadership.lost.is_set():
        await asyncio.sleep(BEAT)
        try:
            await connection.execute("SELECT", timeout=_ANSWERS_WITHIN)
        except (TimeoutError, *FAILED):
            leadership.lost.set()
