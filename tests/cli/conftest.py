"""What the tests of the command line share: an environment in which code is compiled
once, and one server that many commands look at.
"""

import httpx
import pytest

from tests.support.command import Shell, until
from tests.support.server import Server

MARKER = "quokkamarker"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Keep compiled modules for the run, whatever this environment says of them."""
    folder = tmp_path_factory.mktemp("compiled")
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder)}


@pytest.fixture
def shell(tmp_path, compiled):
    return Shell(tmp_path, compiled)


@pytest.fixture(scope="session")
def looking(tmp_path_factory, compiled):
    return Shell(tmp_path_factory.mktemp("looking"), compiled)


@pytest.fixture(scope="session")
def school(tmp_path_factory, compiled):
    """A server on a folder with spaces and more than ASCII; something was said."""
    data = tmp_path_factory.mktemp("school") / "données d'été [b]:x:"
    server = Server(data, environment=compiled)
    server.start()
    try:
        words = f"I live in {MARKER} street in Ghent.\n\x1b[2JWhat a day!"
        server.said = say(server.url, words)
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


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
