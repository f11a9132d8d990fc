"""Connections on fresh views, folded by hand."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from infra.postgres.embedded import ClusterAddress


@pytest.fixture
async def db(database: ClusterAddress) -> AsyncIterator[asyncpg.Connection]:
    """Lend a connection whose search path is an empty schema for views."""
    connection = await asyncpg.connect(database.dsn())
    await connection.execute("CREATE SCHEMA view; SET search_path TO view")
    yield connection
    await connection.close()
