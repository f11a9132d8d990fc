"""One real Postgres for the whole run, and a fresh database for each test."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from infra.postgres.embedded import ClusterAddress, EmbeddedPostgres

FORGETFUL = {"fsync": "off", "max_connections": "200"}
"""Half the time of a test went into syncing a database nobody will start again.

What must survive a crash is tested on clusters of its own, which sync.
"""


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[ClusterAddress]:
    """Start the embedded Postgres once; no event loop outlives the start."""
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-tests-"))
    server = EmbeddedPostgres(folder, settings=FORGETFUL)
    try:
        yield asyncio.run(server.start())
    finally:
        asyncio.run(server.stop())
        shutil.rmtree(folder)


@pytest.fixture
async def database(postgres_address: ClusterAddress) -> AsyncIterator[ClusterAddress]:
    """Make an empty database for one test; it goes, with its sessions, at the end."""
    address = postgres_address.at(f"test_{uuid4().hex}")
    await _run(postgres_address, f'CREATE DATABASE "{address.database}"')
    yield address
    await _run(postgres_address, f'DROP DATABASE "{address.database}" WITH (FORCE)')


async def _run(address: ClusterAddress, statement: str) -> None:
    connection = await asyncpg.connect(address.dsn())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
