"""Wakes dreams whose time has come: a look at the view of them, again and again.

What is due is in the log, and here nothing is remembered that is not looked up anew
after a restart (RS 13.1 W4).
"""

import asyncio
import logging
import traceback
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import asyncpg

from commands.ports import Clock, EventStoreError
from domain.recorded import Recorded
from infra.codec.errors import Unreadable
from infra.dream_lease import lease
from infra.postgres.connection import LOST
from infra.stopping import stop
from processors.dream import Dream
from processors.language_model import Unavailable
from projections.dreams import DueDream, find_due_dreams
from projections.ports import Database

_LOG: Final = logging.getLogger("palimpsest.dream")

_AGAIN: Final = timedelta(seconds=10)
"""How long a dream waits that could not go on for a reason outside it."""


class Log(Protocol):
    """Reads the log by position."""

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]: ...


class DreamAlarm:
    """Has due dreams, so many at a time, until it is cancelled."""

    def __init__(
        self,
        dream: Dream,
        log: Log,
        database: Database,
        clock: Clock,
        dsn: str,
        *,
        workers: int = 2,
        poll: float = 1.0,
    ) -> None:
        self._dream = dream
        self._log = log
        self._database = database
        self._clock = clock
        self._dsn = dsn
        self._workers = workers
        self._poll = poll
        self._running: dict[str, asyncio.Task[None]] = {}
        self._later: dict[str, datetime] = {}

    async def run(self) -> None:
        """Look for what is due, for ever; cancel to stop, at any time."""
        try:
            while True:
                try:
                    await self._wake()
                except (*LOST, asyncpg.InterfaceError) as lost:
                    _LOG.warning("dreams: %s", type(lost).__name__)
                await self._rest()
        finally:
            await stop(*self._running.values())

    async def _wake(self) -> None:
        now = self._clock()
        self._later = {id_: at for id_, at in self._later.items() if at > now}
        room = self._workers - len(self._running)
        if room <= 0:
            return
        passed_over = [*self._running, *self._later]
        async with self._database.acquire() as db:
            due = await find_due_dreams(db, now, passed_over, room)
        for each in due:
            task = asyncio.create_task(self._have(each), name=f"dream {each.id}")
            self._running[each.id] = task

    async def _rest(self) -> None:
        """Wait a moment, or until one that runs is over."""
        if not self._running:
            await asyncio.sleep(self._poll)
            return
        await asyncio.wait(
            self._running.values(),
            timeout=self._poll,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for id_ in [id_ for id_, task in self._running.items() if task.done()]:
            self._running.pop(id_)

    async def _have(self, due: DueDream) -> None:
        later: datetime | None = self._clock() + _AGAIN
        try:
            async with lease(self._dsn, due.tenant, due.id) as ours:
                if ours:
                    later = await self._go_on(due)
        except (*LOST, asyncpg.InterfaceError, EventStoreError, Unavailable) as lost:
            _LOG.warning("dream: %s", type(lost).__name__)
        except Unreadable as damaged:
            _LOG.warning("a dream that is due cannot be read: %s", damaged)
        if later is not None:
            self._later[due.id] = later

    async def _go_on(self, due: DueDream) -> datetime | None:
        [scheduled] = await self._log.read_log(after=due.position - 1, limit=1)
        try:
            return await self._dream(scheduled)
        except (*LOST, asyncpg.InterfaceError, EventStoreError, Unavailable):
            raise
        except Exception as bug:  # noqa: BLE001  whatever it is, it stops one dream only
            # The text of an error nobody foresaw may quote what somebody said.
            place = traceback.extract_tb(bug.__traceback__)[-1]
            _LOG.error(
                "dream: %s in %s:%s", type(bug).__name__, place.filename, place.lineno
            )
            return await self._dream.stumbled(scheduled, type(bug).__name__)
