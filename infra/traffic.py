"""Counts requests under way, so that work behind them gives way."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

GiveWay = Callable[[float], Awaitable[None]]
"""Called between two pieces of work with the seconds the last one took."""

_SHARE: Final = 9.0
"""Seconds given to requests for each second worked beside them."""

_LONGEST: Final = 2.0
"""Most seconds work stands still, however busy it is: it lags, it never starves."""


class Traffic:
    """What is under way at the doors of one server."""

    def __init__(self) -> None:
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application with its requests counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            self._under_way += 1
            self._quiet.clear()
            try:
                await app(scope, receive, send)
            finally:
                self._under_way -= 1
                if not self._under_way:
                    self._quiet.set()

        return counted

    async def give_way(self, worked: float) -> None:
        """Return at once while nobody asks; else leave requests most of the time."""
        if self._quiet.is_set():
            return
        try:
            async with asyncio.timeout(min(_LONGEST, worked * _SHARE)):
                await self._quiet.wait()
        except TimeoutError:
            return


async def at_once(_worked: float) -> None:
    """Give way to nobody: for a process without doors."""
