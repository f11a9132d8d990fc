"""Keeps growing views quick beside the folding: plans, statistics, words indexes."""

import asyncio
import logging
from typing import Final

import asyncpg

from infra.postgres.connection import FAILED
from infra.postgres.views import LIVE, analyze_views, connect_views
from infra.rebuild.abandoned import drop_abandoned
from infra.stopping import stop

_LOG = logging.getLogger("palimpsest.projector")

TIDIED: Final = 500
"""Events after which the words indexes take in what was put beside them."""

ANALYZED: Final = 250
GROWN: Final = 4
"""At so many events, and whenever there are so many times more, plans are remade."""

_TIDY: Final = """
SELECT gin_clean_pending_list(i.oid) FROM pg_class AS i
JOIN pg_namespace AS n ON n.oid = i.relnamespace
JOIN pg_am AS a ON a.oid = i.relam
WHERE n.nspname = $1 AND a.amname = 'gin' AND i.relkind = 'i'
"""


class Upkeep:
    """Counts folded events and does, on a connection of its own, what is due.

    A new row's words are put beside a GIN index and taken into it later, which would
    else fall on some unlucky write (a third of a second was seen). A plan made for an
    empty table may use any index, and is kept; the database would look at the tables
    by itself only a minute later. What rebuilds left does not outlive an erasure.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._untidy = 0
        self._events = 0
        self._analyze_at = ANALYZED
        self._erased = False
        self._task: asyncio.Task[None] | None = None

    def add(self, events: int, *, erased: bool = False) -> None:
        """Count them; start what is due unless it is under way.

        ``erased`` says that something was erased, or may have been without us.
        """
        self._untidy += events
        self._events += events
        self._erased = self._erased or erased
        due = self._untidy >= TIDIED or self._events >= self._analyze_at or self._erased
        if due and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work(), name="upkeep of views")

    async def done(self) -> None:
        """Wait for what is under way."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Leave off what is under way."""
        if self._task is not None:
            await stop(self._task)

    async def _work(self) -> None:
        try:
            connection = await connect_views(self._dsn)
            try:
                await self._tidy(connection)
            finally:
                connection.terminate()
        except FAILED as error:
            _LOG.info("Upkeep of views broke off: %s", type(error).__name__)

    async def _tidy(self, connection: asyncpg.Connection) -> None:
        if self._events >= self._analyze_at:
            while self._analyze_at <= self._events:
                self._analyze_at *= GROWN
            await analyze_views(connection)
        while self._untidy >= TIDIED:
            self._untidy = 0
            await connection.fetch(_TIDY, LIVE)
        # At every turn: a rebuild may have been killed since the last.
        self._erased = True
        while self._erased:
            self._erased = False
            await drop_abandoned(connection)
