"""Deliveries over real HTTP, from a real server that may die meanwhile (HC E51)."""

import asyncio
import hashlib
import hmac
import json
import re

import httpx
import pytest

from infra.postgres.embedded import running_cluster
from infra.postgres.views import connect_views
from projections.webhook_deliveries import list_deliveries
from tests.support.command import Shell, until
from tests.support.receiver import receiving
from tests.support.server import running

SECRET = "a secret of the tests"  # noqa: S105  of the tests


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data = tmp_path_factory.mktemp("webhooks") / "data"
    settings = {
        "WEBHOOK_SECRET": SECRET,
        "WEBHOOK_RETRY_SECONDS": "0.2",
        "WEBHOOK_MAX_ATTEMPTS": "3",
    }
    with running(data, settings) as started:
        yield started


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


class Workspace:
    """A workspace with endpoints, and its deliveries as their view has them."""

    def __init__(self, server, name, shell):
        self.server, self.name, self.shell = server, name, shell
        self.at = f"{server.url}/v3/workspaces/{name}"
        self.post("", {"id": name}, at=f"{server.url}/v3/workspaces")

    def post(self, path, body, at=None):
        answer = httpx.post(f"{at or self.at}{path}", json=body, timeout=120)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    def hear(self, *urls):
        return [self.post("/webhooks", {"url": url})["id"] for url in urls]

    def test(self):
        answer = httpx.get(f"{self.at}/webhooks/test", timeout=120)
        assert (answer.status_code, answer.json()) == (200, None)

    def say(self, *texts, author="alice", session="s"):
        said = [{"peer_id": author, "content": text} for text in texts]
        return self.post(f"/sessions/{session}/messages", {"messages": said})

    def command(self, *words):
        ended = self.shell.run(*words, "--data", str(self.server.data))
        assert ended.code == 0, ended
        return ended

    def deliveries(self):
        return asyncio.run(self._deliveries())

    async def _deliveries(self):
        db = await connect_views(running_cluster(self.server.data).dsn())
        try:
            return await list_deliveries(db, self.name, None, 100)
        finally:
            await db.close()

    def states(self):
        return sorted(each.state for each in self.deliveries())


@pytest.fixture
def workspace(server, shell, request):
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name)[:80]
    return Workspace(server, name, shell)


def signed(heard):
    expected = hmac.new(SECRET.encode(), heard.body, hashlib.sha256).hexdigest()
    assert heard.headers["x-honcho-signature"] == expected
    assert heard.headers["content-type"] == "application/json"
    return heard.told


def test_a_test_event_is_these_exact_bytes(workspace, receiver):
    workspace.hear(receiver.url("/a"), receiver.url("/b"))
    workspace.test()
    until(lambda: len(receiver.heard) == 2)
    for heard in receiver.heard:
        told = signed(heard)
        assert told["data"] == {"workspace_id": workspace.name}
        assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp(heard))
        assert heard.body == (
            b'{"data":{"workspace_id":"%b"},"timestamp":"%b","type":"test.event"}'
            % (workspace.name.encode(), stamp(heard))
        )
    until(lambda: workspace.states() == ["delivered", "delivered"])


def stamp(heard):
    return heard.told["timestamp"].encode()


def test_an_empty_queue_is_told_with_every_field(workspace, receiver):
    workspace.hear(receiver.url("/queue"))
    workspace.say("I live in Ghent.")
    until(lambda: receiver.heard)
    told = signed(receiver.heard[0])
    assert told["type"] == "queue.empty"
    assert told["data"] == {
        "workspace_id": workspace.name,
        "queue_type": "representation",
        "session_id": "s",
        "observer": None,
        "observed": "alice",
    }


def test_summaries_that_drained_are_told_too(workspace, receiver):
    workspace.hear(receiver.url("/queue"))
    workspace.say(*(f"I saw bird number {n} in the park." for n in range(20)))
    until(lambda: {h.told["data"]["queue_type"] for h in receiver.heard} >= {"summary"})
    summary = next(
        h.told["data"]
        for h in receiver.heard
        if h.told["data"]["queue_type"] == "summary"
    )
    assert summary == {
        "workspace_id": workspace.name,
        "queue_type": "summary",
        "session_id": "s",
        "observer": None,
        "observed": None,
    }


def test_nothing_is_told_without_reasoning_or_after_deletion(workspace, receiver):
    (endpoint,) = workspace.hear(receiver.url("/gone"))
    quiet = {"configuration": {"reasoning": {"enabled": False}}}
    workspace.post("/sessions", {"id": "quiet", **quiet})
    workspace.say("I live in Ghent.", session="quiet")
    gone = httpx.delete(f"{workspace.at}/webhooks/{endpoint}", timeout=120)
    assert gone.status_code == 204
    workspace.say("I live in Bruges.")
    workspace.hear(receiver.url("/new"))
    workspace.test()
    until(lambda: receiver.at("/new"))
    assert [each.told["type"] for each in receiver.heard] == ["test.event"]


def test_a_failed_attempt_is_repeated_with_the_same_bytes(workspace, receiver):
    receiver.answers["/shaky"] = [500, 503, 204]
    workspace.hear(receiver.url("/shaky"))
    workspace.test()
    until(lambda: workspace.states() == ["delivered"])
    heard = receiver.at("/shaky")
    assert len(heard) == 3
    assert len({each.body for each in heard}) == 1
    assert workspace.deliveries()[0].attempts == 3


def test_what_failed_is_shown_and_replayed_from_the_log(workspace, receiver):
    receiver.answers["/broken"] = [500]
    receiver.answers["/moved"] = [302]
    workspace.hear(receiver.url("/broken"), receiver.url("/moved"))
    workspace.test()
    until(lambda: workspace.states() == ["failed", "failed"])
    assert len(receiver.at("/broken")) == len(receiver.at("/moved")) == 3
    assert receiver.at("/elsewhere") == []
    status = json.loads(workspace.command("status", "--json").out)
    assert status["webhooks"]["failed"] >= 2
    words = ("webhooks", "list", "--workspace", workspace.name, "--json")
    shown = json.loads(workspace.command(*words).out)
    listed = {each["url"]: each for each in shown}
    broken = listed[receiver.url("/broken")]
    assert (broken["status"], broken["attempts"]) == (500, 3)
    receiver.answers.clear()
    workspace.command("webhooks", "replay", broken["id"])
    until(lambda: workspace.states() == ["delivered", "failed"])
    words = ("webhooks", "replay", "--failed", "--workspace", workspace.name)
    assert "1 of 1" in workspace.command(*words).err
    until(lambda: workspace.states() == ["delivered", "delivered"])
    bodies = {each.body for each in receiver.at("/broken")}
    assert (len(bodies), len(receiver.at("/broken"))) == (1, 4)


def test_a_slow_or_dead_endpoint_holds_up_nobody(workspace, receiver):
    receiver.answers["/slow"] = [200]
    workspace.hear(receiver.url("/slow"), "http://localhost:1/dead")
    for _ in range(10):
        workspace.test()
    until(lambda: receiver.at("/slow"))
    workspace.hear(receiver.url("/quick"))
    workspace.test()
    workspace.say("I live in Ghent.")
    until(lambda: len(receiver.at("/quick")) == 2)
    assert len(receiver.at("/slow")) <= 8
    receiver.released.set()
    until(lambda: "pending" not in workspace.states())
    assert len(receiver.at("/slow")) == 12
    dead = [each for each in workspace.deliveries() if each.url.endswith("/dead")]
    assert {(each.state, each.error) for each in dead} == {("failed", "ConnectError")}


def test_a_retry_outlives_a_killed_server(tmp_path, receiver):
    receiver.answers["/later"] = [500, 200]
    settings = {"WEBHOOK_SECRET": SECRET, "WEBHOOK_RETRY_SECONDS": "5"}
    with running(tmp_path / "data", settings) as server:
        workspace = Workspace(server, "w", Shell(tmp_path))
        workspace.hear(receiver.url("/later"), receiver.url("/slow"))
        workspace.test()
        until(lambda: receiver.at("/later"))
        until(lambda: receiver.at("/slow"))
        until(lambda: any(each.attempts for each in workspace.deliveries()))
        server.kill_everything()
        assert len(receiver.at("/later")) == 1
        receiver.released.set()
        server.start()
        until(lambda: workspace.states() == ["delivered", "delivered"])
    assert len({each.body for each in receiver.at("/later")}) == 1
    assert len(receiver.at("/slow")) == 2
