"""A streamed answer: server-sent events, framed to the byte (HC E12)."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator
from typing import Any, Final, cast

from litestar import Response
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK
from litestar.types import Receive, Scope, Send
from litestar.types.asgi_types import HTTPResponseBodyEvent, HTTPResponseStartEvent

from commands.asking import OverBudget

_LOG: Final = logging.getLogger("palimpsest.chat")

_REFUSED_WITHIN: Final = 1.0
"""Seconds in which a refusal still decides the status."""

Events = AsyncGenerator[dict[str, Any], None]
First = asyncio.Future[dict[str, Any] | None]


class EventStream(Response[Any]):
    """Sends each event as one line of JSON, until the end or until nobody listens.

    What fails after the first byte ends the stream, without the event that says it is
    done. A client that goes away ends the work behind it. That there is no budget for
    it is told as where nothing is streamed.
    """

    def __init__(self, events: Events, position: int) -> None:
        self.content = None
        self.status_code = HTTP_200_OK
        self._events = events
        self._position = position

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        """Return what Litestar calls to send the answer."""
        return cast("ASGIResponse", self._send)

    async def _send(self, _scope: Scope, receive: Receive, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"x-position", b"%d" % self._position),
        ]
        first = asyncio.ensure_future(anext(self._events, None))
        try:
            await _check(first)
            await send(
                HTTPResponseStartEvent(
                    type="http.response.start", status=HTTP_200_OK, headers=headers
                )
            )
        except BaseException:  # whatever it is, nobody will hear what was begun
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            raise
        telling = asyncio.create_task(self._tell(first, send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, leaving):
                task.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)
        await send(_body(b"", more=False))

    async def _tell(self, first: First, send: Send) -> None:
        """Send what comes; say in the log, without content, what broke it off."""
        try:
            async with contextlib.aclosing(self._events) as events:
                if (begun := await first) is not None:
                    await send(_body(frame(begun), more=True))
                async for event in events:
                    await send(_body(frame(event), more=True))
        except Exception as failure:  # noqa: BLE001  the 200 is sent: there is no other answer
            _LOG.warning("a streamed answer broke off: %s", type(failure).__name__)


async def _check(first: First) -> None:
    """Wait a moment for what comes first.

    Raises:
        OverBudget: that is what came.
    """
    await asyncio.wait({first}, timeout=_REFUSED_WITHIN)
    if first.done() and isinstance(first.exception(), OverBudget):
        first.result()


def frame(event: dict[str, Any]) -> bytes:
    """Spell one event: spaces after separators, ASCII, two line ends."""
    return b"data: " + json.dumps(event).encode("ascii") + b"\n\n"


async def _left(receive: Receive) -> None:
    """Return when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(part: bytes, *, more: bool) -> HTTPResponseBodyEvent:
    return HTTPResponseBodyEvent(type="http.response.body", body=part, more_body=more)
