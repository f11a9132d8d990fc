"""Views that another process folds: how far they are, as soon as that is committed."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import asyncpg

from infra.fold_failure import Failure
from infra.milestones import Milestones
from infra.postgres.checkpoints import FOLDED
from infra.postgres.connection import FAILED, settings_of
from infra.postgres.role import usable_role
from infra.postgres.views import LIVE
from infra.telemetry.said_once import NEWS

_LOG: Final = logging.getLogger("palimpsest.views")

_POLL: Final = 1.0
"""Seconds after which the checkpoints are read even if nobody told of one."""

_AGAIN: Final = 0.5

_POSITIONS: Final = f"""
SELECT projection, position FROM {LIVE}.checkpoint
"""  # noqa: S608  a constant


class WatchedViews:
    """One group of views; fulfils ``infra.folded_views.FoldedViews``."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self.position = 0
        self.failed: Failure | None = None
        self._milestones = Milestones()

    async def wait_for(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109  the bound is the point
        """Return True once every view of the group has passed the position.

        False at the bound, in seconds.
        """
        if self.position >= position:
            return True
        return await self._milestones.wait(position, timeout)

    async def passed(self, position: int) -> None:
        """Wait, however long it takes, until the group has passed the position."""
        if self.position < position:
            await self._milestones.wait(position)

    def reach(self, position: int) -> None:
        """Note that the group came so far, and let go who waited for it."""
        if position > self.position:
            self.position = position
            self._milestones.reach(position)

    def begin(self, position: int) -> None:
        """Note where the group is: after a crash, perhaps before what was told."""
        self.position = position
        self._milestones.reach(position)


class ViewWatch:
    """One connection that hears how far groups of views are; they go by their names.

    It reads where they are when it connects, takes what it is told from then on, and
    looks again every second. While the database is away positions stay what they were.
    """

    def __init__(
        self, dsn: str, groups: Mapping[str, WatchedViews], *, poll: float = _POLL
    ) -> None:
        self._dsn = dsn
        self._groups = groups
        self._poll = poll
        self._unsure = asyncio.Event()
        self._away = False

    async def start(self) -> asyncio.Task[None]:
        """Read where the views are, and watch them from then on, until cancelled.

        Raises:
            OSError, asyncpg.PostgresError: the database cannot be reached.
        """
        connection = await self._open()
        return asyncio.create_task(self._run(connection), name="the watch of views")

    async def _run(self, connection: asyncpg.Connection | None) -> None:
        while True:
            try:
                if connection is None:
                    connection = await self._open()
                await self._watch(connection)
            except FAILED as error:
                if not self._away:
                    name = type(error).__name__
                    _LOG.warning("views are not watched: %s", name, extra=NEWS)
                self._away = True
            finally:
                if connection is not None:
                    connection.terminate()
            connection = None
            await asyncio.sleep(_AGAIN)

    async def _open(self) -> asyncpg.Connection:
        role = await usable_role(self._dsn, LIVE)
        connection = await asyncpg.connect(
            self._dsn,
            server_settings=settings_of(role, "palimpsest-watch"),
            command_timeout=10,
        )
        try:
            await connection.add_listener(FOLDED, self._hear)
            connection.add_termination_listener(lambda _: self._unsure.set())
            for group, position in await self._read(connection):
                group.begin(position)
        except BaseException:
            connection.terminate()
            raise
        self._away = False
        return connection

    async def _watch(self, connection: asyncpg.Connection) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await self._unsure.wait()
            for group, position in await self._read(connection):
                group.reach(position)

    async def _read(
        self, connection: asyncpg.Connection
    ) -> list[tuple[WatchedViews, int]]:
        self._unsure.clear()
        rows = await connection.fetch(_POSITIONS)
        at = {row["projection"]: row["position"] for row in rows}
        return [
            (group, min(at.get(name, 0) for name in group.names))
            for group in self._groups.values()
        ]

    def _hear(self, _by: Any, _pid: int, _channel: str, told: object) -> None:
        name, _, position = str(told).partition(" ")
        group = self._groups.get(name)
        if group is None or not position.isdecimal():
            self._unsure.set()
        else:
            group.reach(int(position))
