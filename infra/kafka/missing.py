"""What is to come from the topic and does not: read from the log, counted, told."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final, Literal, Protocol
from uuid import UUID

from infra.postgres.connection import tirelessly
from infra.postgres.stored_row import StoredRow

_LOG: Final = logging.getLogger("palimpsest.topic")

Reason = Literal["passed", "overdue", "silent", "clear", "damaged", "other"]
"""Why the log was read: all partitions are past a position; it was waited for too
long; nothing came at all; the topic's copy is not for us; it cannot be read; it is of
an event that the log has not got there."""

_QUIET: Final = 10.0
"""Seconds between two lines of the same reason."""

_NOTHING: Final = 1.0

_SIZE: Final = 16 * 2**20


class LogRows(Protocol):
    """The log as it is stored."""

    async def page(self, after: int, *, events: int, size: int) -> list[StoredRow]: ...

    async def ids(self, positions: Collection[int]) -> dict[int, UUID]: ...


class Missing:
    """Reads from the log instead; ``count`` tells how many events, and why."""

    def __init__(
        self, log: LogRows, tell: Callable[[Reason, int], None] = lambda *_: None
    ) -> None:
        self._log = log
        self._count = tell
        self._told = dict[Reason, float]()
        self.count: Counter[Reason] = Counter()

    async def read(self, positions: range, why: Reason) -> Sequence[StoredRow]:
        """Return the events of these positions, or the first of them if they are large.

        Fewer, too, and after a while, where the log has fewer. Waits while the database
        is away.
        """
        found = await tirelessly(
            self._log.page, positions.start - 1, events=len(positions), size=_SIZE
        )
        self.count[why] += len(found)
        self._count(why, len(found))
        if not found:  # the topic is of a log that was longer
            await asyncio.sleep(_NOTHING)
        elif why != "clear":
            self._tell(found, why)
        return found

    def _tell(self, found: Sequence[StoredRow], why: Reason) -> None:
        now = time.monotonic()
        if now - self._told.get(why, now - _QUIET) < _QUIET:
            return
        self._told[why] = now
        _LOG.warning(
            "Positions %d to %d are read from the log, not from the topic (%s);"
            " %d were so far",
            *(found[0].position, found[-1].position, why, self.count[why]),
        )
