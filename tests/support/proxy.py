"""A TCP proxy on loopback whose line can be cut, stalled, slowed and reset.

It stands between clients and one port, in a thread of its own. Clients reach what is
behind it at ``proxy.port``; a Kafka broker must advertise that port, or its clients
would go past the proxy.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

from tests.support.ports import free_port

CHUNK = 64 * 1024
RESETS = struct.pack("ii", 1, 0)
"""SO_LINGER by which closing is a reset: the other side is told of no orderly end."""


class Proxy:
    """See the module; whole until told otherwise, and again after ``mend``."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=f"proxy-{self.port}", daemon=True
        )
        self._through: asyncio.Event
        self._cut = False
        self._delay = 0.0
        self._lines: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    def start(self) -> None:
        self._thread.start()
        self._do(self._listen())

    def stop(self) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def cut(self) -> None:
        """End every connection and refuse new ones: nobody is there."""
        self._do(self._refuse())

    def stall(self) -> None:
        """Take what is sent and pass nothing on, ends of connections included."""
        self._do(self._hold())

    def slow(self, seconds: float) -> None:
        """Let every piece of at most 64 KiB wait so long."""
        self._delay = seconds

    def reset(self) -> None:
        """End every connection; new ones are taken."""
        self._do(self._end())

    def mend(self) -> None:
        """Let everything through again, what was held included."""
        self._do(self._open())

    @property
    def connections(self) -> int:
        return len(self._lines)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _listen(self) -> None:
        self._through = asyncio.Event()
        self._through.set()
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port
        )

    async def _close(self) -> None:
        self._server.close()
        await asyncio.sleep(0)  # whoever was taken by now begins, and ends below
        await self._refuse()
        await asyncio.sleep(0)  # what is aborted is closed

    async def _refuse(self) -> None:
        self._cut = True
        await self._end()

    async def _hold(self) -> None:
        self._through.clear()

    async def _end(self) -> None:
        lines = list(self._lines)
        for each in lines:
            each.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    async def _open(self) -> None:
        self._cut, self._delay = False, 0.0
        self._through.set()

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        try:
            if not self._cut:
                await self._carry(reader, writer)
        except (asyncio.CancelledError, OSError):
            pass  # the line is gone, as was asked or as it happened
        finally:
            _abort(writer)
            self._lines.discard(line)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._through.wait()
        far_reader, far = await self._onward()
        pumps = [
            asyncio.create_task(self._pump(reader, far)),
            asyncio.create_task(self._pump(far_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in pumps:
                each.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            _abort(far)

    async def _onward(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect; who is cut off meanwhile leaves no connection behind."""
        opening = asyncio.ensure_future(
            asyncio.open_connection("127.0.0.1", self.target)
        )
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                _abort((await opening)[1])
            raise

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            chunk = await reader.read(CHUNK)
            await self._through.wait()
            if not chunk:
                return
            if self._delay:
                await asyncio.sleep(self._delay)
            writer.write(chunk)
            await writer.drain()


def _abort(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        end = writer.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
    writer.transport.abort()


@contextlib.contextmanager
def proxied(target: int) -> Iterator[Proxy]:
    """A running proxy in front of a port, closed at the end."""
    proxy = Proxy(target)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
