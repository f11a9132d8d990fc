"""Work that one process does at a time, and another goes on with when that one ends.

Each work has a name, and a lock of the database by it. All locks of a process are one
connection's: they go with it, however that ends, and the database ends it where its
process shows no life. Where it is lost, all that was done under it is broken off, and
the locks are asked for again. What must not be done twice even in that moment is kept
from it by what it writes: commands with ids of their own, checkpoints moved from where
they were found.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from time import monotonic
from typing import Any, Final

import asyncpg
import msgspec

from infra.postgres.connection import BEAT, FAILED, mortal
from infra.postgres.lock_key import lock_key
from infra.stopping import stop
from infra.telemetry.said_once import NEWS
from infra.together import Together
from infra.watch import Watch

_LOG: Final = logging.getLogger("palimpsest.turns")

_OURS: Final = 0x5D7EA6

_TAKE: Final = """
SELECT pg_try_advisory_lock($1, key) AS is_ours
FROM unnest($2::int[]) WITH ORDINALITY AS wanted (key, nth) ORDER BY nth
"""

_GIVE_BACK: Final = "SELECT pg_advisory_unlock($1, $2)"

_AGAIN: Final = 0.5
"""Seconds between two tries of who waits: so soon a killed process is followed."""

_TOGETHER: Final = 0.01
"""Seconds within which all who wait try at once."""

_WITHIN: Final = 5.0
"""Seconds a lock may be asked for until the connection is taken for lost."""


class Turns:
    """The works of one process; ``open`` it once, and give it to whoever has any."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._turn = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None
        self._lost = asyncio.Event()
        self._shown = 0.0
        self._tried = Together(self._try, _TOGETHER)
        self._returned: set[asyncio.Task[None]] = set()
        self._is_over = False

    @classmethod
    def open(cls, dsn: str, running: AsyncExitStack) -> "Turns":
        """Return what takes turns until the stack ends; nothing is connected yet."""
        turns = cls(dsn)
        running.callback(turns._end)
        return turns

    def _end(self) -> None:
        self._is_over = True
        self.close()

    def close(self) -> None:
        """Let others go on; what is still done here is broken off."""
        connection, self._connection = self._connection, None
        self._lost.set()
        if connection is not None:
            connection.terminate()

    async def whenever(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do this, for ever, while no other process does; cancel to stop.

        It is begun anew whenever the turn was lost and is had again. Where it ends, or
        fails, so does this.
        """
        while True:
            lost = await self._taken(what)
            doing = asyncio.ensure_future(work())
            losing = asyncio.create_task(lost.wait())
            try:
                await self._show_life_until(doing, losing)
                if doing.done():
                    return await doing
                _LOG.warning("the turn of %s is lost; waiting for it", what, extra=NEWS)
            finally:
                await stop(doing, losing)
                await self._give_back(what, lost)

    async def _show_life_until(self, *tasks: asyncio.Future[Any]) -> None:
        """Wait until one of them is done; show meanwhile that this process lives."""
        first = asyncio.FIRST_COMPLETED
        while not (await asyncio.wait(tasks, timeout=BEAT, return_when=first))[0]:
            async with self._turn:
                if self._connection is None or monotonic() < self._shown + BEAT:
                    continue
                try:
                    await self._connection.execute("SELECT", timeout=_WITHIN)
                    self._shown = monotonic()
                except (*FAILED, TimeoutError):
                    self.close()

    async def _taken(self, what: str) -> asyncio.Event:
        """Wait for the turn, however long; return what is set when it is lost."""
        while True:
            asked = asyncio.ensure_future(self._tried(what))
            try:
                lost = await asyncio.shield(asked)
            except asyncio.CancelledError:
                # It is asked for with those of others, and may be had all the same.
                task = asyncio.create_task(self._return(what, asked))
                self._returned.add(task)
                task.add_done_callback(self._returned.discard)
                raise
            if lost is not None:
                return lost
            await asyncio.sleep(_AGAIN)

    async def _return(
        self, what: str, asked: asyncio.Future[asyncio.Event | None]
    ) -> None:
        if (lost := await asked) is not None:
            await self._give_back(what, lost)

    async def _try(self, wanted: Sequence[str]) -> Sequence[asyncio.Event | None]:
        """Ask for turns; tell of each what is set when it is lost, None if not had."""
        try:
            async with self._turn:
                connection, lost = await self._connected()
                if self._is_over:  # nobody closes what was opened since
                    self.close()
                    return [None for _ in wanted]
                keys = [lock_key(each) for each in wanted]
                rows = await connection.fetch(_TAKE, _OURS, keys, timeout=_WITHIN)
        except (*FAILED, TimeoutError) as error:
            _LOG.info("no turn of %s: %s", ", ".join(wanted), type(error).__name__)
            self.close()
            return [None for _ in wanted]
        return [lost if row["is_ours"] else None for row in rows]

    async def _give_back(self, what: str, lost: asyncio.Event) -> None:
        """Let another process have the turn at once, if it was not lost."""
        async with self._turn:
            if self._connection is None or lost.is_set():
                return
            with suppress(*FAILED, TimeoutError):
                lock = (_OURS, lock_key(what))
                await self._connection.fetchval(_GIVE_BACK, *lock, timeout=_WITHIN)

    async def _connected(self) -> tuple[asyncpg.Connection, asyncio.Event]:
        if self._connection is None or self._connection.is_closed():
            self._lost.set()
            lost = self._lost = asyncio.Event()
            self._connection = await asyncpg.connect(
                self.dsn,
                server_settings={"application_name": "palimpsest-turns"},
                timeout=_WITHIN,
            )
            self._connection.add_termination_listener(lambda _: lost.set())
            await mortal(self._connection)
        return self._connection, self._lost


class Works(msgspec.Struct, frozen=True):
    """Begins what one process at a time does for ever, and is watched meanwhile."""

    turns: Turns
    watch: Watch
    running: AsyncExitStack

    def begin(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do it in turn, in a task, until the stack ends."""
        task = asyncio.create_task(self.turns.whenever(what, work), name=what)
        self.running.push_async_callback(stop, task)
        self.watch.add(task)
