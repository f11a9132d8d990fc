"""A server is killed with -9 after a model answered and before that is in the log."""

import asyncio
import json
import time

import asyncpg
import pytest

from infra.postgres.embedded import running_cluster
from tests.support.load import plain_client
from tests.support.openai_stub import openai_stub
from tests.support.server import Server
from tests.support.stopped import rebuilt_equals_live

APPENDS = 7700100
"""Who holds this lock of the database lets nobody append."""

WITHIN = 90.0
_ANSWERED = "SELECT count(*) FROM log.llm_call WHERE response IS NOT NULL"
_TOLD = "SELECT count(*) FROM log.event WHERE type = 'llm-call-recorded'"
_HEAD = "SELECT max(position) FROM log.event"

FACTS = {"content": "ann drinks tea", "evidence": [1]}


@pytest.fixture
def stub():
    with openai_stub(key="k") as stub:
        yield stub


@pytest.fixture
def server(stub, tmp_path):
    environment = {
        "LLM_OPENAI_BASE_URL": stub.url,
        "LLM_OPENAI_API_KEY": "k",
        "DERIVER_FLUSH_ENABLED": "true",
        "LLM_PRICES": '{"gpt-5.4-mini": {"input": 1, "output": 2}}',
    }
    server = Server(tmp_path / "data", environment=environment)
    server.start()
    yield server
    if server.process.poll() is None:
        assert server.stop() == 0
    rebuilt_equals_live(server.data)


def test_what_was_answered_is_paid_once(server, stub):
    """The window is asked for once, though the answer's append never came to be."""
    held = asyncio.new_event_loop()
    database = held.run_until_complete(_connected(server))
    stub.otherwise = lambda _: _answer(held, database)
    with plain_client(server.url) as http:
        said = {"messages": [{"peer_id": "ann", "content": "I drink tea."}]}
        path = "/v3/workspaces/w/sessions/s/messages"
        assert http.post(path, json=said).status_code == 201
    _until(lambda: _counted(server, _ANSWERED) == 1)
    assert _counted(server, _TOLD) == 0
    server.kill_everything()
    database.terminate()
    held.run_until_complete(asyncio.sleep(0))
    held.close()

    stub.otherwise = json.dumps({"explicit": [FACTS]})
    server.start()
    with plain_client(server.url) as http:
        _until(lambda: _concluded(http) == ["ann drinks tea"])
        # Who was killed after the answer leaves the telling to who comes next.
        _until(lambda: _counted(server, _TOLD) == 1)
        shown = {"min_position": _counted(server, _HEAD)}
        path = "/v3/workspaces/w/usage"
        _until(lambda: http.get(path, params=shown).status_code == 200)
        used = http.get(path).json()
    assert len(stub.chats) == 1
    assert (used["totals"]["calls"], used["totals"]["failed_calls"]) == (1, 0)
    [row] = used["items"]
    assert row["key"] == "deriver.representation"
    assert row["cost_usd"] > 0


def _answer(held, database):
    """Let nobody append from now on, then answer."""
    held.run_until_complete(database.execute(f"SELECT pg_advisory_lock({APPENDS})"))
    return json.dumps({"explicit": [FACTS]})


async def _connected(server):
    cluster = running_cluster(server.data)
    return await asyncpg.connect(cluster.dsn())


def _counted(server, statement):
    async def count():
        connection = await _connected(server)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(count())


def _concluded(http):
    answer = http.post("/v3/workspaces/w/conclusions/list", json={})
    return [each["content"] for each in answer.json()["items"]]


def _until(there):
    deadline = time.monotonic() + WITHIN
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.05)
