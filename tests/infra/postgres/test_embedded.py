"""The embedded Postgres starts, keeps what it was given, and stops without a trace."""

# ruff: noqa: ASYNC110, ASYNC240 - conditions are polled, and files of /proc are quick

import asyncio
import contextlib
import os
import signal
import stat
import time
from pathlib import Path

import asyncpg
import pytest

from infra.postgres.embedded import EmbeddedPostgres, running_cluster
from tests.support.embedded import ask, postmaster_of, until


async def answers(address):
    try:
        return await ask(address, "SELECT true")
    except (asyncpg.PostgresError, OSError):
        return False


async def test_data_survives_a_stop_and_a_start(tmp_path):
    data = tmp_path / "data"
    first = EmbeddedPostgres(data)
    await ask(await first.start(), "CREATE TABLE note AS SELECT 'kept' AS word")
    await first.stop()

    second = EmbeddedPostgres(data)
    address = await second.start()
    assert await ask(address, "SELECT word FROM note") == "kept"
    assert await ask(address, "SHOW data_checksums") == "on"
    assert await ask(address, "SHOW server_encoding") == "UTF8"
    assert await ask(address, "SELECT upper('ä') || lower('Ö')") == "Äö"
    assert {file.name for file in data.iterdir()} == {
        "format",
        "lock",
        "postgres",
        "postgres.log",
        "postgres.pid",
    }
    await second.stop()


async def test_a_stop_leaves_no_process_no_socket_and_no_lock(data):
    server = EmbeddedPostgres(data)
    address = await server.start()
    postmaster = postmaster_of(data)
    processes = [postmaster, *postmaster.children()]
    assert len(processes) > 1
    assert server.alive

    await server.stop()
    await server.stop()

    assert not server.alive
    assert not any(process.alive for process in processes)
    assert not Path(address.host).exists()
    assert running_cluster(data) is None
    again = EmbeddedPostgres(data)
    await again.start()
    await again.stop()


async def test_the_only_door_is_a_socket_in_a_private_folder(data):
    server = EmbeddedPostgres(data)
    address = await server.start()
    try:
        folder = Path(address.host)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "postgres").stat().st_mode) == 0o700
        assert await ask(address, "SHOW listen_addresses") == ""
        assert await ask(address, "SELECT current_user::text") == "palimpsest"
        assert await ask(address, "SELECT current_database()::text") == "palimpsest"
    finally:
        await server.stop()


async def test_a_running_server_is_found_from_its_data_folder(data):
    server = EmbeddedPostgres(data)
    address = await server.start()
    try:
        assert running_cluster(data) == address
    finally:
        await server.stop()


async def test_vectors_can_be_stored_and_indexed(database):
    await ask(database, "CREATE EXTENSION vector")
    await ask(database, "CREATE TABLE v AS SELECT '[1,2,3]'::vector(3) AS at")
    await ask(database, "CREATE INDEX ON v USING hnsw (at vector_cosine_ops)")
    assert await ask(database, "SELECT at <=> '[1,2,3]' FROM v") == pytest.approx(0)


async def test_a_data_folder_may_lie_deeper_than_a_socket_path_may_be_long(tmp_path):
    data = tmp_path / ("a" * 100) / ("with space " * 9) / "data"
    server = EmbeddedPostgres(data)
    try:
        assert await ask(await server.start(), "SELECT 1") == 1
    finally:
        await server.stop()


async def test_folders_we_did_not_make_keep_their_modes(data):
    data.chmod(0o755)
    data.parent.chmod(0o750)
    folders = [data, *data.parents]
    before = [folder.stat().st_mode for folder in folders]

    server = EmbeddedPostgres(data)
    await server.start()
    during = [folder.stat().st_mode for folder in folders]
    await server.stop()

    assert during == before
    assert [folder.stat().st_mode for folder in folders] == before


async def test_no_content_of_a_statement_reaches_the_log(data):
    server = EmbeddedPostgres(data)
    address = await server.start()
    await ask(address, "CREATE TABLE once (word text PRIMARY KEY)")
    await ask(address, "INSERT INTO once VALUES ($1)", "confidential")
    for statement in (
        "INSERT INTO once VALUES ('confidential')",
        "SELECT 'confidential'::int",
        "SELEKT 'confidential'",
        # A dying backend: Postgres would log the statement it was running.
        "SELECT pg_terminate_backend(pg_backend_pid()), 'confidential'",
    ):
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            await ask(address, statement)
    connection = await asyncpg.connect(address.dsn())
    victim = connection.get_server_pid()
    work = asyncio.create_task(
        connection.fetchval("SELECT 'confidential', pg_sleep(60)")
    )
    busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%confidential''%'"
    while await ask(address, busy) < 2:
        await asyncio.sleep(0.01)
    os.kill(victim, signal.SIGKILL)
    with pytest.raises((asyncpg.PostgresError, OSError)):
        await work
    while not await answers(address):
        await asyncio.sleep(0.02)
    await server.stop()

    log = (data / "postgres.log").read_text()
    assert "was terminated by signal 9" in log
    assert "confidential" not in log


async def test_the_environment_of_the_server_holds_no_key_of_ours(data, monkeypatch):
    monkeypatch.setenv("LLM_OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PGPORT", "1")
    server = EmbeddedPostgres(data)
    address = await server.start()
    environment = Path(f"/proc/{postmaster_of(data).pid}/environ").read_bytes()
    assert await ask(address, "SELECT 1") == 1
    await server.stop()
    assert b"sk-secret" not in environment


async def test_a_server_that_does_not_listen_is_killed_within_the_bound(data):
    server = EmbeddedPostgres(data, stop_timeout=1)
    await server.start()
    postmaster = postmaster_of(data)
    children = postmaster.children()
    postmaster.send(signal.SIGSTOP)

    started = time.monotonic()
    await server.stop()

    assert time.monotonic() - started < 60
    assert not postmaster.alive
    await until(lambda: not any(child.alive for child in children))


async def test_a_cancelled_start_leaves_nothing_running(data):
    server = EmbeddedPostgres(data)
    task = asyncio.create_task(server.start())
    while not (data / "postgres.pid").exists():
        await asyncio.sleep(0)
    postmaster = postmaster_of(data)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not postmaster.alive
    assert running_cluster(data) is None
