"""A process of Palimpsest, as whoever started it knows it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from litestar.types import ASGIApp

from infra.watch import Watch


class State(msgspec.Struct):
    """What changes while a server runs."""

    leaving: bool = False


class Palimpsest(msgspec.Struct, frozen=True, kw_only=True):
    """A wired process: what it answers with, if it answers, and what keeps it going.

    ``engines`` tells what each feature runs on. ``is_well`` is whether it goes on,
    ``detail`` what ``/health`` adds, ``metrics`` what Prometheus is given.
    """

    watch: Watch
    state: State
    app: ASGIApp | None = None
    engines: Mapping[str, str] = {}
    is_well: Callable[[], bool]
    detail: Callable[[], dict[str, Any]] = dict
    metrics: Callable[[], Awaitable[bytes]] | None = None

    def leave(self) -> None:
        """Answer ``/health`` with 503 from now on: no more requests should come."""
        self.state.leaving = True
