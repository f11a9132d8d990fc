"""Work on an embedded Postgres ends when that Postgres does."""

import asyncio
import os
import signal

import asyncpg
import pytest

from infra.postgres.embedded import EmbeddedPostgres, PostgresEnded, while_alive
from tests.support.embedded import postmaster_of

BOUND = 60


@pytest.fixture
async def server(tmp_path):
    server = EmbeddedPostgres(tmp_path / "data")
    server.address = await server.start()
    server.postmaster = postmaster_of(tmp_path / "data")
    yield server
    await server.stop()


async def test_its_death_ends_the_body_and_says_how(server):
    async def work():
        async with while_alive(server):
            server.postmaster.send(signal.SIGKILL)
            await asyncio.Event().wait()

    with pytest.raises(PostgresEnded, match="by signal 9"):
        await asyncio.wait_for(work(), BOUND)


async def test_a_failure_it_caused_is_told_as_its_death(server):
    connection = await asyncpg.connect(server.address.dsn())

    async def work():
        async with while_alive(server):
            server.postmaster.send(signal.SIGKILL)
            await server.ended()
            await connection.fetchval("SELECT 1")

    with pytest.raises(PostgresEnded):
        await asyncio.wait_for(work(), BOUND)
    connection.terminate()


async def test_a_backends_death_does_not_end_the_body(server):
    connection = await asyncpg.connect(server.address.dsn())
    async with asyncio.timeout(BOUND), while_alive(server):
        os.kill(connection.get_server_pid(), signal.SIGKILL)
        while not connection.is_closed():  # noqa: ASYNC110  the driver sets no event
            await asyncio.sleep(0.01)
        answer = None
        while answer is None:
            try:
                again = await asyncpg.connect(server.address.dsn())
            except (asyncpg.PostgresError, OSError):
                await asyncio.sleep(0.01)
            else:
                answer = await again.fetchval("SELECT 1")
                await again.close()
    assert server.alive


async def test_who_cancels_the_body_is_obeyed(server):
    inside = asyncio.Event()

    async def work():
        async with while_alive(server):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_body_is_its_own(server):
    with pytest.raises(KeyError):
        async with while_alive(server):
            raise KeyError
