"""The topic as it is counted: all of its partitions, in the order of positions."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

import asyncpg

from infra.kafka.generations import Generations
from infra.kafka.resequenced import UNREAD, Resequenced
from infra.kafka.trouble import Trouble
from infra.postgres.announcer import Announcer
from infra.postgres.connection import close_pool, open_pool
from infra.postgres.role import usable_role
from infra.postgres.stored_row import StoredRow
from infra.postgres.stored_rows import StoredRows
from infra.postgres.tail import Tail
from infra.roles import ANALYTICS
from infra.settings import Settings

_LOG: Final = logging.getLogger("palimpsest.topic")
_NAME: Final = "palimpsest-analytics-topic"


class Topic:
    """What is read of a topic, in batches that go on without end; see ``Subscribe``.

    ``log`` is the database the log is in.
    """

    def __init__(
        self,
        settings: Settings,
        generations: Generations,
        rows: StoredRows,
        log: asyncpg.Pool,
    ) -> None:
        self.log = log
        self._settings = settings
        self._generations = generations
        self._rows = rows
        self.away = Trouble(_LOG, UNREAD)

    async def subscribe(self, after: int) -> AsyncGenerator[Sequence[StoredRow]]:
        """Read what comes after a position."""
        reading = Resequenced(
            self._settings, self._generations, self._rows, after, away=self.away
        )
        async with aclosing(aiter(reading)) as batches:
            async for rows in batches:
                yield rows

    async def end(self) -> int | None:
        """Return up to which position everything is in it, None for no topic yet."""
        serving = await self._generations.serving()
        return None if serving is None else serving.position


@asynccontextmanager
async def open_topic(dsn: str, settings: Settings) -> AsyncIterator[Topic]:
    """Open the topic of a log until left, seen by others; no key is asked for.

    Raises:
        asyncpg.PostgresError, OSError
    """
    role = await usable_role(dsn, "work")
    pool = await open_pool(dsn, role=role, name=_NAME, size=2)
    tail = Tail()
    rows, listener = StoredRows(pool, tail), Announcer(dsn, role, tail, ANALYTICS)
    listener.start()
    try:
        yield Topic(settings, Generations(pool, settings), rows, pool)
    finally:
        await listener.close()
        rows.close()
        await close_pool(pool)
