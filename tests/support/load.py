"""Careful clients: each says its messages in order, each batch until it is in.

A batch goes in a request with an Idempotency-Key of its own and is repeated under the
same key until it is acknowledged.
"""

import threading
import time
from collections.abc import Sequence

import httpx

from tests.support.server import Server

BATCH = 25
SESSIONS = 8
PAGE = 100
BOUND = 240.0
"""Seconds one batch, and all that is derived, may take however often all is killed."""


class Client(threading.Thread):
    """One session's client."""

    def __init__(self, server: Server, session: str, numbers: Sequence[int]) -> None:
        super().__init__(name=f"client-{session}", daemon=True)
        self.session = session
        self.numbers = numbers
        self.acknowledged: list[tuple[str, str]] = []
        self.failure: Exception | None = None
        self._url = server.url

    def run(self) -> None:
        """Say everything; what stops it is kept for the test to see."""
        try:
            with plain_client(self._url) as http:
                for start in range(0, len(self.numbers), BATCH):
                    batch = self.numbers[start : start + BATCH]
                    self.acknowledged += self._until_acknowledged(http, batch)
        except (httpx.HTTPError, TimeoutError) as error:
            self.failure = error

    def _until_acknowledged(
        self, http: httpx.Client, batch: Sequence[int]
    ) -> list[tuple[str, str]]:
        said = [
            {"peer_id": "alice", "content": f"I own boat number {number}."}
            for number in batch
        ]
        path = f"/v3/workspaces/w/sessions/{self.session}/messages"
        key = {"Idempotency-Key": f"k-{batch[0]}"}
        deadline = time.monotonic() + BOUND
        while time.monotonic() < deadline:
            try:
                answer = http.post(path, json={"messages": said}, headers=key)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code >= 500:
                time.sleep(0.05)
                continue
            answer.raise_for_status()
            return [(each["id"], each["content"]) for each in answer.json()]
        raise TimeoutError(f"{key} was never acknowledged")


class Load:
    """So many messages of eight sessions, said at the same time."""

    def __init__(self, server: Server, messages: int) -> None:
        self.messages = messages
        self.clients = [
            Client(server, f"s{i}", range(i, messages, SESSIONS))
            for i in range(SESSIONS)
        ]

    def start(self) -> None:
        for client in self.clients:
            client.start()

    def until_acknowledged(self, count: int) -> None:
        """Wait until so many messages are in, or the test has no more to wait for."""
        deadline = time.monotonic() + BOUND
        while sum(len(client.acknowledged) for client in self.clients) < count:
            assert not self.failures, self.failures
            assert time.monotonic() < deadline, "the load stands still"
            time.sleep(0.002)

    def finish(self) -> None:
        """Wait until everything is acknowledged."""
        self.until_acknowledged(self.messages)
        for client in self.clients:
            client.join(BOUND)

    @property
    def failures(self) -> list[Exception]:
        return [client.failure for client in self.clients if client.failure]


def plain_client(url: str) -> httpx.Client:
    """Return a client that needs no certificates and asks the environment nothing."""
    return httpx.Client(base_url=url, timeout=120, trust_env=False, verify=False)  # noqa: S501  plain HTTP on loopback


def assert_there_once(server: Server, load: Load) -> None:
    """What was acknowledged is there once and in order, and derived exactly once."""
    assert_said(server, load)
    with plain_client(server.url) as http:
        status = _until_derived(http)
        assert status["completed_work_units"] == status["total_work_units"]
        assert status["total_work_units"] >= load.messages
        concluded = _all(http, "/v3/workspaces/w/conclusions/list")
        contents = {each["content"] for each in concluded}
        assert len(concluded) == len(contents) == load.messages
        assert {each["times_derived"] for each in concluded} == {1}


def assert_said(server: Server, load: Load) -> None:
    """What was acknowledged is there once and in order."""
    with plain_client(server.url) as http:
        for client in load.clients:
            path = f"/v3/workspaces/w/sessions/{client.session}/messages/list"
            there = [(each["id"], each["content"]) for each in _all(http, path)]
            assert there == client.acknowledged
            assert len({i for i, _ in there}) == len(client.numbers)


def _all(http: httpx.Client, path: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    page, pages = 0, 1
    while page < pages:
        page += 1
        answer = http.post(path, params={"page": page, "size": PAGE}, json={})
        answer.raise_for_status()
        found += answer.json()["items"]
        pages = answer.json()["pages"]
    return found


def _until_derived(http: httpx.Client) -> dict[str, int]:
    deadline = time.monotonic() + BOUND
    while time.monotonic() < deadline:
        answer = http.get("/v3/workspaces/w/queue/status")
        answer.raise_for_status()
        status: dict[str, int] = answer.json()
        if status["pending_work_units"] == status["in_progress_work_units"] == 0:
            return status
        time.sleep(0.1)
    raise AssertionError(f"still pending: {status}")
