"""HC 8.7: peers of long ago, whose names no door would let in today."""

from datetime import UTC, datetime

import httpx
import pytest

from domain.names import peer_stream, workspace_stream
from domain.peer import PeerCreated
from domain.workspace import WorkspaceCreated
from tests.support.legacy import prepare
from tests.support.server import running
from tests.support.stopped import rebuilt_equals_live

NOON = datetime(2020, 1, 1, 12, tzinfo=UTC)
AT = "/v3/workspaces/old"
LEGACY = {
    "scope.taken": {},
    "scope.claims": {"kind": "scope", "is_scope": True, "observe_me": False},
    "first.last": {},
}


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A client of a server whose log began long ago."""
    data = tmp_path_factory.mktemp("legacy") / "data"
    workspace = WorkspaceCreated(workspace="old", uid="w", created_at=NOON)
    peers = [
        (
            peer_stream("old", name),
            PeerCreated(
                workspace="old",
                peer=name,
                uid=f"u-{name}",
                created_at=NOON,
                configuration=configuration,
            ),
        )
        for name, configuration in LEGACY.items()
    ]
    prepare(data, [(workspace_stream("old"), workspace), *peers])
    with running(data) as server:
        with httpx.Client(base_url=server.url, timeout=120) as client:
            yield client
        assert server.stop() == 0
    rebuilt_equals_live(data)


@pytest.mark.parametrize("name", LEGACY)
def test_x128_peers_of_long_ago_stay_usable(old, name):
    session = name.replace(".", "-")
    said = {"messages": [{"peer_id": name, "content": "Good morning."}]}
    answers = [
        old.post(f"{AT}/sessions/{session}/messages", json=said),
        old.put(f"{AT}/peers/{name}", json={"metadata": {"seen": True}}),
        old.post(f"{AT}/sessions/{session}/peers", json={name: {}}),
        old.put(f"{AT}/sessions/{session}/peers", json={name: {"observe_me": True}}),
        old.put(
            f"{AT}/sessions/{session}/peers/{name}/config", json={"observe_me": False}
        ),
        old.get(f"{AT}/sessions/{session}/peers/{name}/config"),
        old.post(f"{AT}/peers/{name}/representation", json={}),
        old.get(f"{AT}/peers/{name}/context"),
        old.put(f"{AT}/peers/{name}/card", json={"peer_card": ["old"]}),
        old.post(f"{AT}/peers/{name}/chat", json={"query": "?", "target": name}),
        old.get(
            f"{AT}/sessions/{session}/context",
            params={"peer_target": name, "peer_perspective": name},
        ),
    ]
    for answer in answers:
        assert answer.status_code in (200, 201, 204), answer.text
    concluded = {"content": "x", "observer_id": name, "observed_id": name}
    answer = old.post(f"{AT}/conclusions", json={"conclusions": [concluded]})
    assert answer.status_code == 201
    members = old.get(f"{AT}/sessions/{session}/peers").json()["items"]
    assert [each["id"] for each in members] == [name]
    listed = old.post(f"{AT}/peers/{name}/sessions").json()["items"]
    assert [each["id"] for each in listed] == [session]
    answer = old.request("DELETE", f"{AT}/sessions/{session}/peers", json=[name])
    assert answer.status_code == 200
    assert old.get(f"{AT}/sessions/{session}/peers").json()["items"] == []


def test_x120_an_ordinary_peer_keeps_a_reserved_name(old):
    answer = old.post(f"{AT}/scopes", json={"id": "taken"})
    assert answer.status_code == 409
    assert answer.json()["detail"] == (
        "A peer named 'scope.taken' already exists in workspace old but is not a scope."
        " Rename or delete that peer before creating this scope."
    )
    body = {"id": "new", "scopes": ["fresh", "taken"]}
    assert old.post(f"{AT}/sessions", json=body).status_code == 409
    assert old.get(f"{AT}/scopes/fresh").status_code == 404
    assert old.get(f"{AT}/scopes/taken").status_code == 404
    for path, body in (
        ("peers/first.last/representation", {"scope": "taken"}),
        ("peers/first.last/chat", {"query": "?", "scope": ["taken"]}),
        ("search", {"query": "?", "scope": "taken"}),
    ):
        answer = old.post(f"{AT}/{path}", json=body)
        assert answer.status_code == 422
        assert answer.json()["detail"] == (
            "'taken' does not name a scope: a non-scope peer occupies its reserved"
            " name."
        )


def test_x121_a_configuration_makes_no_scope(old):
    listed = old.post(f"{AT}/peers/list", json={"kind": "scope"}).json()["items"]
    assert listed == []
    ordinary = old.post(f"{AT}/peers/list").json()["items"]
    assert "scope.claims" in {each["id"] for each in ordinary}
    assert old.get(f"{AT}/scopes/claims").status_code == 404
    assert old.post(f"{AT}/scopes", json={"id": "claims"}).status_code == 409
