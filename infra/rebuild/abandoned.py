"""Takes away what rebuilds left that must not stay: words, though they were erased."""

from typing import Final

import asyncpg

from domain.erasure import SessionErased, WorkspaceErased
from domain.event import tag_of
from infra.rebuild.shadow import FORMER, SHADOW

TURN: Final = 7700103
"""Whoever holds this lock rebuilds."""

ERASING: Final = (SessionErased, WorkspaceErased)
"""What ends an erasure; the conclusions that go with it went before."""

_LEFT: Final = """
SELECT to_regnamespace($1) IS NOT NULL AS shadow, to_regnamespace($2) IS NOT NULL AS
    former, to_regclass($1 || '.rebuild') IS NOT NULL AS noted
"""

# Before a lane has folded on, nobody takes out of it what was erased since.
_ERASED_SINCE: Final = f"""
SELECT NOT EXISTS (SELECT FROM {SHADOW}.rebuild) OR EXISTS (
    SELECT FROM log.event WHERE type = ANY($1::text[])
    AND position > (SELECT coalesce(min(position), 0) FROM {SHADOW}.lane))
"""  # noqa: S608  constants


async def drop_abandoned(connection: asyncpg.Connection) -> None:
    """Drop former tables, and a broken off rebuild since which something was erased.

    Nothing is touched while a rebuild is under way: it takes out itself what is
    erased. One that was broken off is left to go on as long as it holds nothing that
    is erased.
    """
    left = await connection.fetchrow(_LEFT, SHADOW, FORMER)
    if not (left["shadow"] or left["former"]):
        return
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", TURN):
        return
    try:
        await connection.execute("SET lock_timeout = '5s'")
        await drop_former(connection)
        tags = [tag_of(event) for event in ERASING]
        if left["shadow"] and (
            not left["noted"] or await connection.fetchval(_ERASED_SINCE, tags)
        ):
            await connection.execute(f"DROP SCHEMA IF EXISTS {SHADOW} CASCADE")
    except asyncpg.LockNotAvailableError:
        pass  # it is tried again
    finally:
        await connection.execute("RESET lock_timeout")
        await connection.execute("SELECT pg_advisory_unlock($1)", TURN)


async def drop_former(connection: asyncpg.Connection) -> None:
    """Drop the tables that were live before an exchange, one by one.

    Plans made before the exchange lock all tables they knew before they are found to
    be out of date: dropping several at once would be a deadlock with a reader.
    """
    for row in await connection.fetch(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = $1", FORMER
    ):
        await connection.execute(f'DROP TABLE {FORMER}."{row["name"]}" CASCADE')
    await connection.execute(f"DROP SCHEMA IF EXISTS {FORMER} CASCADE")
