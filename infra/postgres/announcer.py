"""Tells other processes that the log grew, and hears it from them.

One NOTIFY for each commit at most, in a transaction of its own: inside the append it
would take a lock that serialises every commit of the cluster (event-store.md 0.5).
Whoever misses it is served by the poll of its subscription.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import asyncpg

from infra.postgres.connection import FAILED, settings_of
from infra.postgres.tail import Tail
from infra.stopping import stop

CHANNEL: Final = "palimpsest_log"

PRESENT: Final = "palimpsest-announcer/"
"""Begins the name of every running process in ``pg_stat_activity``."""

_AGAIN: Final = 0.5

_NOTIFY = "SELECT pg_notify($1, $2)"

_HEAD: Final = "SELECT coalesce(max(position), 0) FROM log.event"


class Announcer:
    """One connection that announces this process's head and listens for others'.

    By its name others see that the process is there, and which ``process`` it is.
    """

    def __init__(
        self, dsn: str, role: str | None, tail: Tail, process: str = "up"
    ) -> None:
        self._dsn = dsn
        self._settings = {
            **settings_of(role, PRESENT + process),
            "synchronous_commit": "off",  # a lost announcement costs one poll
        }
        self._tail = tail
        self._told = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="announcer")

    async def close(self) -> None:
        if self._task is not None:
            await stop(self._task)

    async def _run(self) -> None:
        while True:
            # Whatever the reason, the poll serves meanwhile.
            with suppress(*FAILED):
                await self._attend()
            await asyncio.sleep(_AGAIN)

    async def _attend(self) -> None:
        connection = await asyncpg.connect(
            self._dsn, server_settings=self._settings, command_timeout=10
        )
        follower = self._tail.follow(keeps=False)
        connection.add_termination_listener(lambda _connection: follower.woken.set())
        try:
            await connection.add_listener(CHANNEL, self._hear)
            # What was announced while nobody listened is not announced again.
            self._tail.advance(await connection.fetchval(_HEAD))
            while not connection.is_closed():
                follower.woken.clear()
                if self._tail.committed > self._told:
                    self._told = self._tail.committed
                    await connection.execute(_NOTIFY, CHANNEL, str(self._told))
                else:
                    await follower.woken.wait()
        finally:
            self._tail.leave(follower)
            connection.terminate()

    def _hear(self, _by: Any, _pid: int, _channel: str, head: object) -> None:
        with suppress(ValueError):
            self._tail.advance(int(str(head)))
