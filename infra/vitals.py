"""A small door for who asks whether a process is well: ``/health`` and ``/metrics``.

For processes that answer nothing else: it imports no framework, reads nobody's words,
and every connection is over within seconds.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import msgspec

_WITHIN: Final = 5.0
"""Seconds a request may take to arrive."""

_LONGEST: Final = 8_192
"""Bytes of a request's head, most."""

_AT_ONCE: Final = 64

_CUT: Final = (asyncio.IncompleteReadError, asyncio.LimitOverrunError)

_JSON: Final = "application/json"
_PROMETHEUS: Final = "text/plain; version=0.0.4"
_REASONS: Final = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


class Vitals:
    """What a process tells of itself, from its first moment to its last.

    ``is_ready`` turns ``/health`` to 200, ``detail`` adds to it; ``metrics`` gives what
    Prometheus asks for. Who is started sets them once there is something to tell.
    """

    def __init__(self, role: str) -> None:
        self.role = role
        self.is_ready: Callable[[], bool] = bool
        self.detail: Callable[[], dict[str, Any]] = dict
        self.metrics: Callable[[], Awaitable[bytes]] | None = None
        self._leaving = False

    def leave(self) -> None:
        """Answer ``/health`` with 503 from now on: the process ends."""
        self._leaving = True

    async def answer(self, path: str) -> tuple[int, str, bytes]:
        """Return status, type and content for a path."""
        if path == "/health":
            well = self.is_ready() and not self._leaving
            told: dict[str, Any] = {"status": "ok" if well else "starting"}
            told |= {"role": self.role} | (self.detail() if well else {})
            return (200 if well else 503), _JSON, msgspec.json.encode(told)
        if path == "/metrics" and self.metrics is not None:
            return 200, _PROMETHEUS, await self.metrics()
        return 404, "text/plain", b"There are /health and, where they are on, /metrics"


@asynccontextmanager
async def answering(vitals: Vitals, door: socket.socket) -> AsyncIterator[None]:
    """Answer at the door until the block is left."""
    busy = asyncio.Semaphore(_AT_ONCE)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, ValueError, *_CUT):
            async with busy, asyncio.timeout(_WITHIN):
                await _serve(vitals, reader, writer)
        writer.close()

    server = await asyncio.start_server(meet, sock=door, limit=_LONGEST)
    try:
        yield
    finally:
        server.close()


async def _serve(
    vitals: Vitals, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer one request, and no second one."""
    head = await reader.readuntil(b"\r\n\r\n")
    method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    status, kind, content = await vitals.answer(path.partition("?")[0])
    if method not in {"GET", "HEAD"}:
        status, kind, content = 404, "text/plain", b""
    lines = (
        f"HTTP/1.1 {status} {_REASONS[status]}",
        f"content-type: {kind}",
        f"content-length: {len(content)}",
        "connection: close",
    )
    writer.write("\r\n".join((*lines, "", "")).encode())
    if method == "GET":
        writer.write(content)
    await writer.drain()
