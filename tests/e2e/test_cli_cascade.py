"""``honcho workspace delete --cascade``: sessions, then at once the workspace (X23)."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.server import running


@pytest.fixture
def server(tmp_path):
    with running(tmp_path / "data") as server:
        yield server
        assert server.stop() == 0


def honcho(server, home, *arguments):
    """Run the published command line against the server; return what it printed."""
    program = shutil.which("honcho", path=str(Path(sys.executable).parent))
    assert program is not None
    done = subprocess.run(
        [program, *arguments, "--json"],
        env=os.environ
        | {
            "HOME": str(home),
            "HONCHO_BASE_URL": server.url,
            "HONCHO_URL": server.url,
            "HONCHO_API_KEY": "none",
        },
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_cascade_takes_all_sessions_and_the_workspace_without_waiting(
    server, tmp_path
):
    with httpx.Client(base_url=f"{server.url}/v3/workspaces", timeout=30) as api:
        for number in range(3):
            said = {"messages": [{"peer_id": "alice", "content": "hello"}]}
            assert api.post(f"/w/sessions/s{number}/messages", json=said).is_success
        honcho(server, tmp_path, "workspace", "delete", "w", "--cascade", "--yes")
        assert api.post("/w/sessions/list", json={}).json()["total"] == 0
        assert api.delete("/w").status_code in {202, 404}
