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

CHANNEL: Final = "palimpsest_log"

_AGAIN: Final = 0.5

_NOTIFY = "SELECT pg_notify($1, $2)"


class Announcer:
    """One connection that announces this process's head and listens for others'."""

    def __init__(self, dsn: str, role: str | None, tail: Tail) -> None:
        self._dsn = dsn
        self._settings = {
            **settings_of(role, "palimpsest-announcer"),
            "synchronous_commit": "off",  # a lost announcement costs one poll
        }
        self._tail = tail
        self._told = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="announcer")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

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
