"""A lean HTTP/1.1 load generator: keep-alive connections, prepared requests."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """What a run gave: requests per second and latencies in milliseconds."""

    connections: int
    requests: int
    seconds: float
    median_ms: float
    p99_ms: float
    failures: int

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def post(path: str, body: bytes) -> bytes:
    """A prepared POST of JSON."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def get(path: str) -> bytes:
    """A prepared GET."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


class Connection:
    """One keep-alive connection; ``ask`` sends a request and reads its answer."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**24))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return status and body."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        body = await self._reader.readexactly(length) if length else b""
        return int(head[9:12]), body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def load(
    port: int | Sequence[int],
    connections: int,
    seconds: float,
    make: Callable[[int, int], bytes],
) -> Measured:
    """Ask as fast as ``connections`` connections can, for ``seconds``.

    ``make(connection, n)`` gives the n-th request of a connection. They are spread
    evenly over several ports.
    """
    ports = [port] if isinstance(port, int) else port
    latencies: list[float] = []
    failures = 0
    until = time.perf_counter() + seconds

    async def one(number: int) -> None:
        nonlocal failures
        connection = await Connection.open(ports[number % len(ports)])
        n = 0
        while time.perf_counter() < until:
            request = make(number, n)
            n += 1
            started = time.perf_counter()
            status, _ = await connection.ask(request)
            latencies.append(time.perf_counter() - started)
            failures += status >= 300
        await connection.close()

    started = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(connections)))
    took = time.perf_counter() - started
    latencies.sort()
    return Measured(
        connections=connections,
        requests=len(latencies),
        seconds=took,
        median_ms=1000 * latencies[len(latencies) // 2],
        p99_ms=1000 * latencies[int(len(latencies) * 0.99)],
        failures=failures,
    )
