"""What the tests of the command line share: one server that many commands look at."""

import json

import httpx
import pytest

from tests.support.command import Shell, until
from tests.support.server import Server

MARKER = "quokkamarker"


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


@pytest.fixture(scope="session")
def looking(tmp_path_factory):
    return Shell(tmp_path_factory.mktemp("looking"))


@pytest.fixture(scope="session")
def school(tmp_path_factory, looking):
    """A server on a folder with spaces and more than ASCII; something was said."""
    data = tmp_path_factory.mktemp("school") / "données d'été [b]:x:"
    server = Server(data)
    server.start()
    try:
        words = f"I live in {MARKER} street in Ghent.\n\x1b[2JWhat a day!"
        server.said = say(server.url, words)
        until(lambda: nothing_lags(looking, server))
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


def nothing_lags(looking, server):
    """Whether every consumer, those behind reasoning too, read all of the log."""
    status = looking.run("status", "--json", "--data", str(server.data))
    return {each["lag_events"] for each in json.loads(status.out)["consumers"]} == {0}


def say(url, content, session="s"):
    """Say something as alice, and wait until it was reasoned about."""
    with httpx.Client(base_url=f"{url}/v3/workspaces/w", timeout=30) as client:
        said = client.post(
            f"/sessions/{session}/messages",
            json={"messages": [{"peer_id": "alice", "content": content}]},
        )
        assert said.status_code == 201, said.text
        until(lambda: client.get("/queue/status").json()["pending_work_units"] == 0)
        return said.json()[0]["id"]
