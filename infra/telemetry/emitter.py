"""Sends CloudEvents in batches, in order, and never waits for anybody (RS 11.1).

What it holds is bounded: the oldest makes way. A batch is tried a few times and then
dropped, so an event is received once or never, or twice with the same id.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from hashlib import blake2b
from typing import Final

import httpx
import msgspec

from infra.postgres.commit import Commit
from infra.stopping import stop
from infra.telemetry.envelopes import Envelopes
from infra.telemetry.told import Told
from infra.telemetry.told_events import told_of

_LOG: Final = logging.getLogger("palimpsest.telemetry")

_TYPE: Final = "application/cloudevents-batch+json"
_WITHIN: Final = 30.0
_LAST_SEND: Final = 2.0
"""Seconds what still waits may take at the end."""

_IN_VAIN: Final = frozenset(map(str, range(400, 500))) - {"408", "425", "429"}
"""Statuses that will not change by asking again."""

Count = Callable[[str, str, int], None]
"""Is told how many were ``emitted``, ``sampled_out`` or ``dropped``, and of what."""


class EmitterLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much waits, how much is sent at once, when, and how often it is tried.

    Waits between tries are ``pause`` seconds and twice as long each time.
    """

    buffer: int = 10_000
    batch: int = 100
    threshold: int = 50
    interval: float = 1.0
    tries: int = 3
    sample_rate: float = 1.0
    pause: float = 1.0


class Emitter:
    """Sends what commits tell to one endpoint."""

    def __init__(
        self,
        endpoint: str,
        headers: Mapping[str, str],
        envelopes: Envelopes,
        limits: EmitterLimits,
        count: Count,
    ) -> None:
        self._endpoint = endpoint
        self._headers = {**headers, "content-type": _TYPE}
        self.envelopes = envelopes
        self._limits = limits
        self._count = count
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._enough = asyncio.Event()
        self._closing = False

    def __len__(self) -> int:
        """Return how many events wait."""
        return len(self._waiting)

    def committed(self, commit: Commit) -> None:
        """Take what a commit tells."""
        for told in told_of(commit):
            if self._is_kept(told):
                self.add(told.type, self.envelopes.of_event(told))
            else:
                self._count("sampled_out", told.type, 1)

    def add(self, type_: str, event: bytes) -> None:
        """Take one event, at the cost of the oldest where there are too many."""
        self._waiting.append((type_, event))
        if len(self._waiting) > self._limits.buffer:
            self._waiting.popleft()
            self._count("dropped", "buffer_full", 1)
        if len(self._waiting) >= self._limits.threshold:
            self._enough.set()

    async def start(self, running: AsyncExitStack) -> None:
        """Send until the stack ends; what waits then is tried once, within bounds."""
        client = httpx.AsyncClient(timeout=_WITHIN, follow_redirects=False)
        await running.enter_async_context(client)
        task = asyncio.create_task(self._run(client), name="telemetry")
        running.push_async_callback(self._end, task, client)

    async def _run(self, client: httpx.AsyncClient) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.interval):
                    await self._enough.wait()
            self._enough.clear()
            while self._waiting:
                await self._send(client, self._take(), self._limits.tries)

    async def _end(self, task: asyncio.Task[None], client: httpx.AsyncClient) -> None:
        await stop(task)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SEND):
                while self._waiting:
                    await self._send(client, self._take(), 1)
        if self._waiting:
            _LOG.warning("%s events are not sent: it ends", len(self._waiting))

    def _take(self) -> list[tuple[str, bytes]]:
        size = min(len(self._waiting), self._limits.batch)
        return [self._waiting.popleft() for _ in range(size)]

    async def _send(
        self, client: httpx.AsyncClient, batch: list[tuple[str, bytes]], tries: int
    ) -> None:
        try:
            why = await self._tried(client, batch, tries)
        except asyncio.CancelledError:  # it ends: the last send tries them once more
            self._waiting.extendleft(reversed(batch))
            raise
        if why is None:
            for type_, _ in batch:
                self._count("emitted", type_, 1)
            return
        _LOG.warning("%s events are not sent: %s", len(batch), why)
        self._count("dropped", "send_failed", len(batch))

    async def _tried(
        self, client: httpx.AsyncClient, batch: list[tuple[str, bytes]], tries: int
    ) -> str | None:
        """Return None once it was taken, else a word for why it was not at last."""
        body = b"[" + b",".join(event for _, event in batch) + b"]"
        why: str | None = None
        for attempt in range(tries):
            if attempt:
                await asyncio.sleep(self._limits.pause * 2 ** (attempt - 1))
            why = await self._post(client, body)
            if why is None or why in _IN_VAIN:
                break
        return why

    async def _post(self, client: httpx.AsyncClient, body: bytes) -> str | None:
        """Return None if it was taken, else a word for why it was not."""
        try:
            # An endpoint that answers a byte at a time would never be done.
            async with asyncio.timeout(_WITHIN):
                answer = await client.post(
                    self._endpoint, content=body, headers=self._headers
                )
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return type(error).__name__  # its text may quote the address
        return None if answer.is_success else str(answer.status_code)

    def _is_kept(self, told: Told) -> bool:
        """Tell whether it is sent: of what is frequent, whole runs are or are not."""
        rate = self._limits.sample_rate
        if told.run is None or rate >= 1:
            return True
        digest = blake2b(told.run.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64 < rate
