"""The appender's own connection: made again when lost, and what became of a call then.

When a connection dies during a commit, nobody knows whether the commit happened. The
old backend may even still be at it. So before anything is asked, the link sees to it
that no backend of the lost connection is left; only then the log can be believed.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from infra.postgres.append_call import SQL
from infra.postgres.connection import PATIENCE, patiently, settings_of

_GONE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name = $1 AND pid <> pg_backend_pid()
"""

_WRITTEN = """
SELECT id, position, version, recorded_at FROM log.event
WHERE position > $1 AND id = ANY ($2::uuid[])
"""


class Link:
    """One connection with the prepared append, replaced when it is lost."""

    def __init__(self, dsn: str, role: str | None) -> None:
        self._dsn = dsn
        self._role = role
        self._name = ""
        self._connection: asyncpg.Connection | None = None
        self._append: Any = None

    async def call(self, arguments: Sequence[Sequence[Any]]) -> list[Any]:
        """Append a batch in one transaction and return its verdicts."""
        if self._append is None:
            await self._connect()
        rows: list[Any] = await self._append.fetch(*arguments)
        return rows

    async def written(self, head: int, events: Sequence[UUID]) -> dict[UUID, Any]:
        """After a loss: make sure of the past, then tell which events are in the log.

        They are looked for behind ``head``, a position that was known before.

        Raises:
            EventStoreError: the database could not be reached; the outcome is unknown.
        """
        rows = await patiently(self._look, head, events)
        return {row["id"]: row for row in rows}

    async def close(self) -> None:
        """Close the connection; a lost one is only forgotten."""
        connection, self._connection, self._append = self._connection, None, None
        if connection is not None:
            connection.terminate()

    async def _connect(self) -> None:
        self._name = f"palimpsest-appender-{uuid4().hex}"
        self._connection = await asyncpg.connect(
            self._dsn, server_settings=settings_of(self._role, self._name)
        )
        self._append = await self._connection.prepare(SQL)

    async def _look(self, head: int, events: Sequence[UUID]) -> list[Any]:
        await self.close()
        # As the login user: it may see and end its own backends.
        connection = await asyncpg.connect(self._dsn)
        try:
            async with asyncio.timeout(PATIENCE):
                while await connection.fetchval(_GONE, self._name):  # noqa: ASYNC110  another process's end
                    await asyncio.sleep(0.01)
            rows: list[Any] = await connection.fetch(_WRITTEN, head, list(events))
            return rows
        finally:
            connection.terminate()
