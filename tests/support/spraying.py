"""Clients that send every kind of write and read to either of two servers, by chance.

Each keeps what it was answered, and looks for what it wrote at the server it did not
write it to.
"""

import threading
import time
from collections import Counter
from random import Random
from typing import Any
from uuid import UUID

import httpx

from tests.support.load import plain_client

WORKSPACE = "w"
SHARED = ("s0", "s1")
"""Sessions everybody writes in."""


class Sprayer(threading.Thread):
    """One client, who does what its seed says until it is told to end."""

    def __init__(self, urls: tuple[str, str], seed: int, until: float) -> None:
        super().__init__(name=f"sprayer-{seed}", daemon=True)
        self.said: dict[str, list[str]] = {each: [] for each in SHARED}
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.wrong: list[str] = []
        self._me = f"peer-{seed}"
        self._urls = urls
        self._random = Random(seed)
        self._until = until
        self._count = 0
        self._clients: list[httpx.Client] = []

    def run(self) -> None:
        """Do this and that; what was not as it should be is kept in ``wrong``."""
        ways = {
            self._say: 10,
            self._name_myself: 6,
            self._configure_session: 2,
            self._join_and_leave: 3,
            self._conclude: 3,
            self._set_card: 2,
            self._write_and_delete: 1,
            self._repeat_under_a_key: 3,
            self._change_message: 2,
            self._subscribe: 1,
            self._scope: 1,
            self._clone: 1,
            self._configure_workspace: 1,
            self._ask: 2,
            self._look_around: 4,
        }
        try:
            with plain_client(self._urls[0]) as one, plain_client(self._urls[1]) as two:
                self._clients = [one, two]
                while time.monotonic() < self._until and len(self.wrong) < 10:
                    self._random.choices(list(ways), list(ways.values()))[0]()
        except Exception as error:  # noqa: BLE001  told by the test
            self.wrong.append(f"{type(error).__name__}: {error}")

    def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        at: int | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Send to one of the two, by chance if need be; keep what is wrong."""
        which = self._random.randrange(2) if at is None else at
        answer = self._clients[which].request(
            method, f"/v3/workspaces/{WORKSPACE}{path}", json=body, **more
        )
        kind = f"{method} {path.rsplit('/', maxsplit=1)[-1] if '/' in path else path}"
        self.statuses[kind[:24], answer.status_code] += 1
        if answer.status_code >= 500:
            text = f"{method} {path}: {answer.status_code} {answer.text[:200]}"
            self.wrong.append(text)
        return answer

    def _here_then_there(self) -> tuple[int, int]:
        here = self._random.randrange(2)
        return here, 1 - here

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _say(self) -> None:
        session = self._random.choice(SHARED)
        here, there = self._here_then_there()
        words = [f"{self._me} owns boat {self._next()}." for _ in range(2)]
        said = [{"peer_id": self._me, "content": each} for each in words]
        path = f"/sessions/{session}/messages"
        answer = self._send("POST", path, {"messages": said}, at=here)
        if answer.status_code != 201:
            self.wrong.append(f"not said: {answer.status_code} {answer.text[:200]}")
            return
        ids = [each["id"] for each in answer.json()]
        self.said[session] += ids
        read = self._send(
            "GET",
            f"{path}/{ids[-1]}",
            at=there,
            params={"min_position": answer.headers["x-position"]},
        )
        if read.status_code != 200 or read.json()["content"] != words[-1]:
            self.wrong.append(f"what was said is not read: {read.text[:200]}")

    def _name_myself(self) -> None:
        """Change what is one's own back and forth: nothing may be taken for done."""
        here, there = self._here_then_there()
        path = f"/peers/{self._me}"
        for at, name in ((here, "a"), (there, "b"), (here, "a")):
            answer = self._send("PUT", path, {"metadata": {"name": name}}, at=at)
            if answer.json().get("metadata") != {"name": name}:
                self.wrong.append(f"named {name}, answered {answer.text[:200]}")
            asked = {"id": self._me}
            read = self._send(
                "POST",
                "/peers",
                asked,
                at=1 - at,
                params={"min_position": answer.headers["x-position"]},
            )
            if read.json().get("metadata") != {"name": name}:
                self.wrong.append(f"named {name}, read {read.text[:200]}")

    def _configure_session(self) -> None:
        session = self._random.choice(SHARED)
        body = {"metadata": {"by": self._me}, "configuration": {"summary": {}}}
        self._send("PUT", f"/sessions/{session}", body)
        self._send("POST", "/sessions", {"id": session})

    def _configure_workspace(self) -> None:
        self._send("PUT", "", {"metadata": {"by": self._me, "n": self._next()}})

    def _join_and_leave(self) -> None:
        session, guest = (
            self._random.choice(SHARED),
            f"guest-{self._random.randrange(6)}",
        )
        path = f"/sessions/{session}/peers"
        self._send("POST", path, {guest: {"observe_others": False}})
        if self._random.random() < 0.5:
            self._send("DELETE", path, [guest])

    def _conclude(self) -> None:
        here, there = self._here_then_there()
        about = {"observer_id": self._me, "observed_id": self._me}
        body = {
            "conclusions": [{"content": f"{self._me} has {self._next()}.", **about}]
        }
        answer = self._send("POST", "/conclusions", body, at=here)
        if answer.status_code != 201:
            self.wrong.append(f"not concluded: {answer.text[:200]}")
            return
        [made] = answer.json()
        gone = self._send("DELETE", f"/conclusions/{made['id']}", at=there)
        if gone.status_code != 204:
            self.wrong.append(f"not taken back: {gone.status_code} {gone.text[:200]}")

    def _set_card(self) -> None:
        here, there = self._here_then_there()
        lines = [f"line {self._next()}"]
        path = f"/peers/{self._me}/card"
        answer = self._send("PUT", path, {"peer_card": lines}, at=here)
        read = self._send(
            "GET",
            path,
            at=there,
            params={"min_position": answer.headers.get("x-position", "0")},
        )
        if read.json().get("peer_card") != lines:
            self.wrong.append(f"card {lines} read as {read.text[:200]}")

    def _write_and_delete(self) -> None:
        """A session of one's own goes, and is made again under its name elsewhere."""
        here, there = self._here_then_there()
        session = f"own-{self._me}"
        words = f"A word {self._next()}."
        body = {"messages": [{"peer_id": self._me, "content": words}]}
        said = self._send("POST", f"/sessions/{session}/messages", body, at=here)
        if said.status_code == 201:
            gone = self._send("DELETE", f"/sessions/{session}", at=there)
            if gone.status_code not in (202, 404):
                self.wrong.append(f"not deleted: {gone.text[:200]}")
        elif said.status_code not in (404, 409):
            self.wrong.append(f"{said.status_code} in a session to go: {said.text}")

    def _repeat_under_a_key(self) -> None:
        """The same write at both servers at once happens once."""
        session = self._random.choice(SHARED)
        key = str(UUID(int=self._random.getrandbits(128)))
        words = f"{self._me} repeats {self._next()}."
        body = {"messages": [{"peer_id": self._me, "content": words}]}
        answers: list[httpx.Response] = []

        def send(at: int) -> None:
            answers.append(
                self._send(
                    "POST",
                    f"/sessions/{session}/messages",
                    body,
                    at=at,
                    headers={"Idempotency-Key": key},
                )
            )

        threads = [threading.Thread(target=send, args=(at,)) for at in (0, 1)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        if len({(each.status_code, each.text) for each in answers}) != 1:
            self.wrong.append(f"one key, two answers: {[a.text[:90] for a in answers]}")
        elif answers[0].status_code == 201:
            self.said[session] += [each["id"] for each in answers[0].json()]

    def _change_message(self) -> None:
        session = self._random.choice(SHARED)
        if not self.said[session]:
            return
        here, there = self._here_then_there()
        path = f"/sessions/{session}/messages/{self._random.choice(self.said[session])}"
        changed = {"n": self._next()}
        answer = self._send("PUT", path, {"metadata": changed}, at=here)
        position = answer.headers.get("x-position", "0")
        read = self._send("GET", path, at=there, params={"min_position": position})
        if read.json().get("metadata") != changed:
            self.wrong.append(f"{changed} read as {read.text[:200]}")

    def _subscribe(self) -> None:
        url = f"https://example.com/{self._me}"
        made = self._send("POST", "/webhooks", {"url": url})
        if made.status_code < 300 and self._random.random() < 0.7:
            self._send("DELETE", f"/webhooks/{made.json()['id']}")

    def _scope(self) -> None:
        scope, session = self._me.replace("-", ""), self._random.choice(SHARED)
        self._send("POST", "/scopes", {"id": scope})
        self._send("POST", f"/scopes/{scope}/sessions", {"session_ids": [session]})
        self._send("DELETE", f"/scopes/{scope}/sessions/{session}")

    def _clone(self) -> None:
        if self._random.random() < 0.3:
            self._send("POST", f"/sessions/{self._random.choice(SHARED)}/clone")

    def _ask(self) -> None:
        self._send(
            "POST", f"/peers/{self._me}/chat", {"query": "What boats are there?"}
        )

    def _look_around(self) -> None:
        session = self._random.choice(SHARED)
        self._send("GET", f"/sessions/{session}/context")
        self._send("POST", f"/peers/{self._me}/representation", {})
        self._send("POST", f"/sessions/{session}/messages/list", {})
        self._send("POST", "/search", {"query": "boat"})
        self._send("GET", "/queue/status")
