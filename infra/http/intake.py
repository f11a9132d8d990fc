"""Bodies as they come in: bounded in memory all together, and each in time."""

import asyncio
from typing import Final

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Receive, Scope, Send

from commands.ports import Overloaded

_RETRY_AFTER: Final = 2.0


class BodyMissing(Exception):  # noqa: N818  says what happened
    """A request was announced, and its body did not come."""

    def __init__(self) -> None:
        super().__init__("The request's body did not come in time")


class ClientGone(BodyMissing):
    """Who asks went away before the body was whole: nobody hears an answer."""


class BodyTooSlow(BodyMissing):
    """The body does not come, or comes too slowly to be waited for."""


class IntakeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What bodies of running requests may hold in bytes, and take in seconds.

    A request's first ``free`` bytes do not count, so that whoever asks little is served
    while others send much. ``pause`` is the longest silence, ``whole`` all of a body.
    """

    held: int = 256 * 2**20
    free: int = 64 * 2**10
    pause: float = 30.0
    whole: float = 300.0


_USUAL: Final = IntakeLimits()


class Intake:
    """Wraps an application; what is too much or too slow fails where it is read.

    A body counts until its request is answered: that long it may be in memory.
    """

    def __init__(self, app: ASGIApp, limits: IntakeLimits = _USUAL) -> None:
        self._app = app
        self._limits = limits
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        body = _Body(self, receive)
        try:
            await self._app(scope, body.receive, send)
        finally:
            self._held -= body.counted

    def count(self, more: int) -> None:
        """Make room for some bytes of a body.

        Raises:
            Overloaded: other requests hold too much.
        """
        if self._held + more > self._limits.held:
            raise Overloaded(_RETRY_AFTER)
        self._held += more

    @property
    def limits(self) -> IntakeLimits:
        return self._limits


class _Body:
    """One request's body on its way in."""

    def __init__(self, intake: Intake, receive: Receive) -> None:
        self.counted = 0
        self._intake = intake
        self._receive = receive
        self._size = 0
        self._whole = False
        self._until: float | None = None

    async def receive(self) -> HTTPReceiveMessage:
        """Return what comes next; once the body is whole, whatever that is.

        Raises:
            ClientGone, BodyTooSlow, Overloaded
        """
        if self._whole:
            return await self._receive()  # type: ignore[return-value]  # of HTTP
        message = await self._next()
        if message["type"] == "http.disconnect":
            self._whole = True
            raise ClientGone
        self._count(len(message["body"]))
        self._whole = not message.get("more_body", False)
        return message

    async def _next(self) -> HTTPReceiveMessage:
        limits, now = self._intake.limits, asyncio.get_running_loop().time()
        if self._until is None:
            self._until = now + limits.whole
        try:
            async with asyncio.timeout_at(min(now + limits.pause, self._until)):
                return await self._receive()  # type: ignore[return-value]  # of HTTP
        except TimeoutError:
            raise BodyTooSlow from None

    def _count(self, size: int) -> None:
        self._size += size
        more = max(0, self._size - self._intake.limits.free) - self.counted
        if more > 0:
            self._intake.count(more)
            self.counted += more
