"""Reads the log one page ahead of who writes it somewhere."""

import asyncio
from collections.abc import Sequence
from typing import Final, Self

from infra.postgres.stored_row import StoredRow
from infra.postgres.stored_rows import StoredRows

PAGE_EVENTS: Final = 4_000
PAGE_BYTES: Final = 8 * 2**20
"""Most a page has; two are in memory at most, one being written and the next."""


class ReadAhead:
    """Pages of the log in their order; the next is read while one is written."""

    def __init__(self, log: StoredRows) -> None:
        self._log = log
        self._next: tuple[int, asyncio.Task[list[StoredRow]]] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *ended: object) -> None:
        if self._next is not None:
            reading = self._next[1]
            reading.cancel()
            # What cancels us meanwhile is not to be taken for the end of the reading.
            await asyncio.gather(reading, return_exceptions=True)

    async def after(self, position: int) -> list[StoredRow]:
        """Return what follows; what follows that is read meanwhile, if it was full."""
        ready, self._next = self._next, None
        if ready is not None and ready[0] == position:
            rows = await ready[1]
        else:
            rows = await self._read(position)
        if rows and (len(rows) == PAGE_EVENTS or _size(rows) >= PAGE_BYTES):
            last = rows[-1].position
            self._next = (last, asyncio.create_task(self._read(last)))
        return rows

    async def _read(self, after: int) -> list[StoredRow]:
        return await self._log.page(after, events=PAGE_EVENTS, size=PAGE_BYTES)


def _size(rows: Sequence[StoredRow]) -> int:
    return sum(len(row.data) for row in rows)
