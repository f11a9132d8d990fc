"""Finds the event that cannot be opened, though the chain over its bytes holds."""

from typing import Final

import asyncpg

from infra.codec.errors import Unreadable
from infra.proof.sample import Log

PAGE: Final = 2_000

DAMAGED: Final = (Unreadable, asyncpg.DataError, OverflowError)
"""What looking at views raises over such an event: here, in the database, of a time."""


async def find_unreadable(log: Log, head: int) -> int | None:
    """Return the position of the first, None if all up to the head can be opened."""
    position, limit = 0, PAGE
    while position < head:
        try:
            page = await log.read_log(after=position, limit=limit)
        except DAMAGED:
            if limit == 1:
                return position + 1
            limit = 1
            continue
        if not page:
            break
        position = page[-1].position
    return None
