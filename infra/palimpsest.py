"""A server, as whoever started it knows it."""

from collections.abc import Mapping

import msgspec
from litestar.types import ASGIApp

from infra.watch import Watch


class Palimpsest:
    """A wired server: its ASGI application and what keeps it going."""

    def __init__(
        self,
        app: ASGIApp,
        engines: Mapping[str, str],
        watch: Watch,
        state: "State",
    ) -> None:
        self.app = app
        self.engines = engines
        self.watch = watch
        self._state = state

    def leave(self) -> None:
        """Answer ``/health`` with 503 from now on: no more requests should come."""
        self._state.leaving = True


class State(msgspec.Struct):
    """What changes while a server runs."""

    leaving: bool = False
