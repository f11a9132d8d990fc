"""Connections for questions: unqualified names are the tables of the live views."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from infra.postgres.connection import as_it_is, settings_of, sizes
from infra.postgres.role import usable_role
from infra.postgres.views import LIVE, search_path_of

READERS: Final = 6
"""Questions the database is asked at once; a pool larger than its cores only queues."""


@asynccontextmanager
async def open_view_readers(
    dsn: str, *, size: int = READERS
) -> AsyncIterator[asyncpg.Pool]:
    """Open a pool that may only read, of the role that may only read."""
    role = await usable_role(dsn, LIVE)
    settings = settings_of(role, "palimpsest-questions") | {
        "search_path": await _search_path(dsn),
        "default_transaction_read_only": "on",
        "jit": "off",
        # A walk through an index of vectors goes on until enough are of the tenant.
        "hnsw.iterative_scan": "relaxed_order",
        # Measured with half the links: 98.0 of the nearest 30 of 35,584, 96.8 before.
        "hnsw.ef_search": "100",
    }
    pool = await asyncpg.create_pool(
        dsn, **sizes(size), server_settings=settings, reset=as_it_is
    )
    try:
        yield pool
    finally:
        pool.terminate()


async def _search_path(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        return await search_path_of(connection)
    finally:
        await connection.close()
