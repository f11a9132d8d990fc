"""Answers who still waits when the server cannot wait any longer."""

import asyncio
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

_BODY: Final = b'{"detail":"The server is stopping; ask again"}'


def answered_when_closing(app: ASGIApp) -> ASGIApp:
    """Wrap an application: a request that is cancelled gets a 503, not silence.

    Whether its write happened nobody knows; an Idempotency-Key tells the next time.
    """

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        begun = scope["type"] != ScopeType.HTTP

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, noted)
        except asyncio.CancelledError:
            if begun:
                raise
            await _refuse(send)

    return answered


async def _refuse(send: Send) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_BODY)).encode()),
        (b"retry-after", b"1"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY, "more_body": False})
