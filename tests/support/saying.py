"""Something said over HTTP, and when all of the server knows of it."""

import json

import httpx

from tests.support.command import until

MARKER = "quokkamarker"


def nothing_lags(looking, server):
    """Whether every consumer, those behind reasoning too, read all of the log."""
    status = looking.run("status", "--json", "--data", str(server.data))
    return {each["lag_events"] for each in json.loads(status.out)["consumers"]} == {0}


def say(url, content, session="s"):
    """Say something as alice, and wait until it was reasoned about."""
    with httpx.Client(base_url=f"{url}/v3/workspaces/w", timeout=120) as client:
        said = client.post(
            f"/sessions/{session}/messages",
            json={"messages": [{"peer_id": "alice", "content": content}]},
        )
        assert said.status_code == 201, said.text
        until(lambda: client.get("/queue/status").json()["pending_work_units"] == 0)
        return said.json()[0]["id"]
