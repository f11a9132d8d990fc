"""Looks for what should be gone: in every table, and in the log as it opens."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg

from infra.key_source import master_key_of
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.verify import verify_chain
from infra.settings import Settings

_TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


def found_in(data: Path, marker: str) -> list[str]:
    """Name the tables and records of a stopped server's folder that hold the marker.

    The chain of the log must hold whatever was erased.
    """
    return asyncio.run(_search(data, marker))


async def _search(data: Path, marker: str) -> list[str]:
    async with AsyncExitStack() as running:
        postgres = EmbeddedPostgres(data)
        dsn = (await postgres.start()).dsn()
        running.push_async_callback(postgres.stop)
        found = await _in_tables(dsn, marker)
        log = await running.enter_async_context(
            PostgresLog.open(
                dsn, master_key_of(data, Settings()), LogSettings(announces=False)
            )
        )
        after = 0
        while page := await log.store.read_log(after=after, limit=1_000):
            found += [f"{e.position} {e.event}" for e in page if marker in str(e.event)]
            after = page[-1].position
        async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
            verified = await verify_chain(pool)
        assert verified.broken is None, verified
        return found


async def _in_tables(dsn: str, marker: str) -> list[str]:
    """Search every row as text, and its bytes as hexadecimal digits."""
    connection = await asyncpg.connect(dsn)
    try:
        found = []
        for row in await connection.fetch(_TABLES):
            rows = await connection.fetchval(
                f"SELECT count(*) FROM {row[0]} AS t"  # noqa: S608  names of the catalogue
                " WHERE position($1 IN t::text) > 0 OR position($2 IN t::text) > 0",
                marker,
                marker.encode().hex(),
            )
            if rows:
                found.append(f"{row[0]}: {rows}")
        return found
    finally:
        await connection.close()
