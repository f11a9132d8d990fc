"""Everything is killed with -9 during a load, several times; nothing is lost.

Each message is sent in a request with an Idempotency-Key and repeated with the same
key until it is acknowledged, as a careful client does.
"""

import random
import threading
import time

import httpx
import pytest

from tests.support.server import Server
from tests.support.stopped import rebuilt_equals_live

BATCH = 10
SESSIONS = 8


def _call(server, method, path, body=None, key=None):
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = httpx.request(
        method, server.url + path, json=body, headers=headers, timeout=20
    )
    answer.raise_for_status()
    return answer.json()


class Load(threading.Thread):
    """One session's client: sends its messages in order, each batch until it is in."""

    def __init__(self, server, session, numbers):
        super().__init__()
        self.server, self.session, self.numbers = server, session, numbers
        self.acknowledged = []
        self.refused = []

    def run(self):
        for start in range(0, len(self.numbers), BATCH):
            batch = self.numbers[start : start + BATCH]
            self.acknowledged += self._until_acknowledged(batch, f"k-{batch[0]}")

    def _until_acknowledged(self, batch, key):
        body = {
            "messages": [
                {"peer_id": "alice", "content": f"I own boat number {n}."}
                for n in batch
            ]
        }
        path = f"/v3/workspaces/w/sessions/{self.session}/messages"
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                answer = _call(self.server, "POST", path, body, key)
                return [(m["id"], m["content"]) for m in answer]
            except httpx.HTTPStatusError as error:
                if error.response.status_code < 500:
                    self.refused.append(error.response.text)
                    return []
                time.sleep(0.05)
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"{key} was never acknowledged")


def _messages(server, session):
    page, found = 1, []
    while True:
        path = f"/v3/workspaces/w/sessions/{session}/messages/list?page={page}&size=100"
        answer = _call(server, "POST", path, {})
        found += [(m["id"], m["content"]) for m in answer["items"]]
        if page >= answer["pages"]:
            return found
        page += 1


def _conclusions(server):
    page, found = 1, []
    while True:
        path = f"/v3/workspaces/w/conclusions/list?page={page}&size=100"
        answer = _call(server, "POST", path, {})
        found += [(c["content"], c["times_derived"]) for c in answer["items"]]
        if page >= answer["pages"]:
            return found
        page += 1


def _until_derived(server, bound=240):
    deadline = time.monotonic() + bound
    while time.monotonic() < deadline:
        status = _call(server, "GET", "/v3/workspaces/w/queue/status")
        if status["pending_work_units"] == status["in_progress_work_units"] == 0:
            return status
        time.sleep(0.1)
    raise AssertionError(f"still pending: {status}")


@pytest.mark.parametrize(
    ("messages", "kills"),
    [(1_000, 3), pytest.param(5_000, 10, marks=pytest.mark.long)],
)
def test_every_acknowledged_message_is_there_and_derived_once(
    tmp_path, messages, kills
):
    random.seed(20261122)
    server = Server(tmp_path / "data")
    server.start()
    try:
        clients = [
            Load(server, f"s{i}", list(range(i, messages, SESSIONS)))
            for i in range(SESSIONS)
        ]
        for client in clients:
            client.start()
        for _ in range(kills):
            time.sleep(random.uniform(0.05, 1.2))
            server.kill_everything()
            server.start()
        for client in clients:
            client.join(200)
        assert [client.refused for client in clients if client.refused] == []

        for client in clients:
            there = _messages(server, client.session)
            assert there == client.acknowledged
            assert len({i for i, _ in there}) == len(client.numbers)
        status = _until_derived(server)
        assert status["completed_work_units"] >= messages
        concluded = _conclusions(server)
        assert len(concluded) == len({content for content, _ in concluded}) == messages
        assert {times for _, times in concluded} == {1}
    finally:
        if server.process.poll() is None:
            server.stop()
    rebuilt_equals_live(server.data)
