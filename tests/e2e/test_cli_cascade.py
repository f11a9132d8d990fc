"""``honcho workspace delete --cascade``: sessions, then at once the workspace (X23)."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import httpx


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
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_cascade_takes_all_sessions_and_the_workspace_without_waiting(
    server, tmp_path
):
    name = f"cascade-{uuid.uuid4().hex[:8]}"
    at = f"{server.url}/v3/workspaces/{name}"
    with httpx.Client(base_url=at, timeout=120) as api:
        for number in range(3):
            said = {"messages": [{"peer_id": "alice", "content": "hello"}]}
            assert api.post(f"/sessions/s{number}/messages", json=said).is_success
        honcho(server, tmp_path, "workspace", "delete", name, "--cascade", "--yes")
        assert api.post("/sessions/list", json={}).json()["total"] == 0
        assert httpx.delete(at, timeout=120).status_code in {202, 404}
