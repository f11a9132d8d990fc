"""Everything is killed with -9 while it erases; what was deleted goes all the same."""

import asyncio
import time

import asyncpg
import httpx
import pytest

from infra.postgres.embedded import running_cluster
from tests.support.remains import found_in
from tests.support.server import Server
from tests.support.stopped import rebuilt_equals_live

BOUND = 120.0
GRACE = 1.0
MARKER = "xyzzyquux"
SESSIONS = 6
AT = "/v3/workspaces/w"
_RECORDED = "SELECT count(*) FROM log.event WHERE type = $1"


@pytest.fixture
def server(tmp_path):
    settings = {"DELETION_GRACE_SECONDS": str(GRACE)}
    server = Server(tmp_path / "data", environment=settings)
    server.start()
    yield server
    if server.process.poll() is None:
        server.stop()


def test_killed_again_and_again_it_erases_all_that_was_deleted(server):
    with httpx.Client(base_url=server.url, timeout=120) as api:
        for number in range(SESSIONS):
            said = [
                {"peer_id": "alice", "content": f"I love {MARKER} {number} {line}."}
                for line in range(10)
            ]
            path = f"{AT}/sessions/s{number}"
            assert api.post(f"{path}/messages", json={"messages": said}).is_success
        for number in range(SESSIONS):
            assert api.delete(f"{AT}/sessions/s{number}").status_code == 202
    kill(server)  # within the grace: the deadline is in the log
    kill(server, after=("session-erasure-begun", 1))
    kill(server, after=("session-erased", SESSIONS // 2))
    until(lambda: recorded(server, "session-erased") == SESSIONS)
    with httpx.Client(base_url=server.url, timeout=120) as api:
        again = api.post(f"{AT}/sessions", json={"id": "s0"})
        assert again.status_code == 201
        said = [{"peer_id": "bob", "content": f"I hate {MARKER}."}]
        path = f"{AT}/sessions/s0"
        assert api.post(f"{path}/messages", json={"messages": said}).is_success
        assert api.delete(path).status_code == 202
        assert api.delete(AT).status_code == 202
    kill(server, after=("workspace-erasure-begun", 1))
    until(lambda: recorded(server, "workspace-erased") == 1)
    with httpx.Client(base_url=server.url, timeout=120) as api:
        assert api.post("/v3/workspaces", json={"id": "w"}).status_code == 201
    assert server.stop() == 0
    rebuilt_equals_live(server.data)
    assert found_in(server.data, MARKER) == []


def kill(server, after=None):
    """Kill everything, once so many of such events are recorded, and start again."""
    if after is not None:
        until(lambda: recorded(server, after[0]) >= after[1])
    server.kill_everything()
    server.start()


def recorded(server, tag):
    """Count the events of a type."""

    async def ask():
        connection = await asyncpg.connect(running_cluster(server.data).dsn())
        try:
            return await connection.fetchval(_RECORDED, tag)
        finally:
            await connection.close()

    return asyncio.run(ask())


def until(happened):
    deadline = time.monotonic() + BOUND
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)
