"""Many sessions talk at once, each in order, each request until it is accepted.

A request carries the next few messages of a session under an Idempotency-Key of its
own, goes to any of the servers, and is repeated, to any of them, under the same key.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

MOST = 8
"""Messages in one request."""

AT_ONCE = 12
"""Requests under way at a time."""

BOUND = 300.0
"""Seconds one request may take, however often everything is killed."""

PEERS = 7
REFUSED = {408, 429}
"""Answers below 500 after which a client tries again."""


@dataclass
class Talk:
    """``messages`` in all, in ``sessions``, at most ``rate`` of them a second.

    ``accepted`` are id and content of what was acknowledged, in the order of sending;
    ``concluded`` is what a message's number makes whoever reasons about it conclude,
    the offline engine where nothing is said.
    """

    urls: Sequence[str]
    workspace: str
    messages: int
    sessions: int
    seed: int = 0
    rate: float | None = None
    concluded: Callable[[int], str] | None = None
    accepted: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    failure: BaseException | None = None
    repeated: int = 0

    def conclusion_of(self, number: int) -> str:
        return (self.concluded or conclusion_of)(number)

    def start(self) -> None:
        """Begin to talk, in a thread of its own."""
        self._thread = threading.Thread(target=self._talk, name="talk", daemon=True)
        self._thread.start()

    @property
    def said(self) -> int:
        """How many messages are accepted so far."""
        return sum(len(each) for each in list(self.accepted.values()))

    @property
    def over(self) -> bool:
        return not self._thread.is_alive()

    def until_said(self, count: int) -> None:
        """Wait until so many are accepted."""
        deadline = time.monotonic() + BOUND
        while self.said < count:
            assert self.failure is None, self.failure
            assert time.monotonic() < deadline, f"{self.said} of {count} were accepted"
            time.sleep(0.01)

    def finish(self) -> None:
        """Wait until everything is accepted."""
        self.until_said(self.messages)
        self._thread.join(BOUND)
        assert self.failure is None, self.failure

    def _talk(self) -> None:
        try:
            asyncio.run(self._all())
        except BaseException as error:  # noqa: BLE001  the test is to see it
            self.failure = error

    async def _all(self) -> None:
        self._began = time.monotonic()
        self._started = 0
        self._gate = asyncio.Semaphore(AT_ONCE)
        limits = httpx.Limits(max_connections=2 * AT_ONCE)
        async with (
            httpx.AsyncClient(timeout=120, trust_env=False, limits=limits) as http,
            asyncio.TaskGroup() as group,
        ):
            for number in range(self.sessions):
                group.create_task(self._session(http, number))

    async def _session(self, http: httpx.AsyncClient, number: int) -> None:
        chance = random.Random(f"{self.seed}/{number}")
        name = f"s{number}"
        self.accepted[name] = []
        left = list(range(number, self.messages, self.sessions))
        while left:
            count = chance.randint(1, MOST)
            some, left = left[:count], left[count:]
            await self._in_turn(len(some))
            async with self._gate:
                self.accepted[name] += await self._until_accepted(
                    http, name, some, chance
                )

    async def _in_turn(self, count: int) -> None:
        if self.rate is not None:
            due = self._began + self._started / self.rate
            self._started += count
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _until_accepted(
        self,
        http: httpx.AsyncClient,
        session: str,
        numbers: Sequence[int],
        chance: random.Random,
    ) -> list[tuple[str, str]]:
        body = {
            "messages": [
                {"peer_id": author_of(each), "content": sentence_of(each)}
                for each in numbers
            ]
        }
        path = f"/v3/workspaces/{self.workspace}/sessions/{session}/messages"
        key = {"Idempotency-Key": f"{self.workspace}-{numbers[0]}"}
        deadline = time.monotonic() + BOUND
        while time.monotonic() < deadline:
            url = chance.choice(list(self.urls))
            try:
                answer = await http.post(url + path, json=body, headers=key)
            except httpx.TransportError:
                self.repeated += 1
                await asyncio.sleep(0.1)
                continue
            if answer.status_code >= 500 or answer.status_code in REFUSED:
                self.repeated += 1
                await asyncio.sleep(0.1)
                continue
            answer.raise_for_status()
            return [(each["id"], each["content"]) for each in answer.json()]
        raise TimeoutError(f"{key} was never accepted")


def author_of(number: int) -> str:
    """Who says message ``number``."""
    return f"p{number % PEERS}"


def sentence_of(number: int) -> str:
    """What message ``number`` says: something the offline engine knows to conclude."""
    return f"I own boat number {number}."


def conclusion_of(number: int) -> str:
    """What is concluded from message ``number``, once."""
    return f"{author_of(number)} owns boat number {number}."


def number_of(sentence: str) -> int:
    """Return which message says this, the inverse of :func:`sentence_of`."""
    return int(sentence.removesuffix(".").rpartition(" ")[2])
