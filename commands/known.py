"""What is known of a stream: its folded state, and how far that goes."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from commands.ports import Appended, EventStore
from domain.event import Event

_PAGE = 2_000


class Known(msgspec.Struct):
    """A cached state, the version it stands at, and appends under way on it.

    ``position`` is that of the newest durable event folded; ``newest`` is the last
    append under way, which ends after those before it.
    """

    state: Any
    version: int
    in_flight: int = 0
    position: int = 0
    newest: asyncio.Future[Appended] | None = None


async def fold(
    store: EventStore, stream: str, initial: Any, after: Callable[[Any, Event], Any]
) -> Known:
    """Read a stream to its end, page by page."""
    known = Known(initial, 0)
    while True:
        page = await store.read_stream(stream, after=known.version, limit=_PAGE)
        for recorded in page:
            known.state = after(known.state, recorded.event)
            known.version = recorded.version
            known.position = recorded.position
        if len(page) < _PAGE:
            return known
