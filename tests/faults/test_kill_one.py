"""One process below the server is killed with -9 under load; nothing is lost."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import asyncpg
import pytest

from infra.postgres.embedded import running_cluster
from infra.postgres.views import LIVE
from tests.support.embedded import postmaster_of
from tests.support.load import Load, assert_there_once
from tests.support.server import Server, descendants
from tests.support.stopped import rebuilt_equals_live

MESSAGES = 1_000
BOUND = 120

_APPENDER = """
SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'palimpsest-appender%'
"""
_COLLECTIONS = f"SELECT name FROM {LIVE}.vector_collection"  # noqa: S608  a constant
_HELD = "SELECT processor, reason, attempts FROM work.held"


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "data")
    server.start()
    yield server
    if server.process.poll() is None:
        assert server.stop() == 0
    rebuilt_equals_live(server.data)


def test_without_its_postgres_it_ends_with_one_line_and_the_next_start_goes_on(server):
    load = Load(server, MESSAGES)
    load.start()
    load.until_acknowledged(MESSAGES // 3)
    said_before = server.log()
    postmaster_of(server.data).send(signal.SIGKILL)
    assert server.process.wait(BOUND) > 0
    said = server.log().removeprefix(said_before)
    last = said.strip().splitlines()[-1]
    assert last.startswith("palimpsest: the embedded Postgres was ended by signal 9")
    assert "Traceback" not in said

    server.start()
    load.finish()
    assert_there_once(server, load)


def test_killed_backends_cost_nothing_but_time(server):
    load = Load(server, MESSAGES)
    load.start()
    for kill in range(1, 4):
        load.until_acknowledged(MESSAGES * kill // 4)
        for row in _query(server, _APPENDER):
            os.kill(row["pid"], signal.SIGKILL)
    load.finish()
    assert_there_once(server, load)
    assert server.process.poll() is None


def test_a_killed_embedder_is_started_again_and_every_text_gets_its_vector(server):
    load = Load(server, 300)
    load.start()
    for kill in range(1, 4):
        _until(lambda kill=kill: _vectors(server) >= 60 * kill)
        os.kill(_embedder_of(server), signal.SIGKILL)
    load.finish()
    assert_there_once(server, load)
    _until(lambda: _vectors(server) >= 600)  # of each message and each conclusion
    assert _vectors(server) == 600
    assert _query(server, _HELD) == []
    assert server.process.poll() is None


def _embedder_of(server):
    found = []

    def there():
        for pid in descendants(server.process.pid):
            with contextlib.suppress(FileNotFoundError):  # it just left
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                if b"infra.embedder.worker" in command:
                    found.append(pid)
        return found

    _until(there)
    return found[0]


def _vectors(server):
    """Count the vectors of messages and conclusions."""
    return sum(
        _query(server, f'SELECT count(*) FROM {LIVE}."{name}"')[0][0]  # noqa: S608  from the catalogue
        for (name,) in _query(server, _COLLECTIONS)
    )


def _query(server, statement):
    """Ask the server's Postgres, again while it recovers."""

    async def ask():
        connection = await asyncpg.connect(running_cluster(server.data).dsn())
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    deadline = time.monotonic() + BOUND
    while True:
        try:
            return asyncio.run(ask())
        except (asyncpg.PostgresError, OSError):
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.02)


def _until(condition):
    deadline = time.monotonic() + BOUND
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)
