"""Signed checkpoints beside the log they tell of: added and read, never changed."""

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import asyncpg

from infra.proof.checkpoint import Ending, SignedCheckpoint

PAGE: Final = 1_000

_HEAD: Final = """
SELECT position, id, link FROM log.event ORDER BY position DESC LIMIT 1
"""

_AT: Final = "SELECT position, id, link FROM log.event WHERE position = $1"

_PUT: Final = """
INSERT INTO log.checkpoint (position, event, link, made_at, public_key, signature)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
"""

# Forged, a time may lie beyond the years Python knows; it is no more genuine in them.
_MADE_AT: Final = "least(greatest(made_at, '0001-01-03Z'), '9999-12-29Z') AS made_at"

_COLUMNS: Final = f"""
SELECT position, event, link, {_MADE_AT}, public_key, signature FROM log.checkpoint
"""  # noqa: S608  a constant

_NEWEST: Final = f"""{_COLUMNS}
WHERE $1::bytea IS NULL OR public_key = $1 ORDER BY position DESC, made_at DESC LIMIT 1
"""

_PAGE: Final = f"""
SELECT c.position, c.event, c.link, {_MADE_AT}, c.public_key, c.signature,
       e.id AS stands, e.link AS leads
FROM log.checkpoint AS c LEFT JOIN log.event AS e USING (position)
WHERE (c.position, c.public_key) > ($1, $2)
ORDER BY c.position, c.public_key LIMIT $3
"""  # noqa: S608  a constant


class SignedCheckpoints:
    """The checkpoints of one log; a connection sees them in its own transaction."""

    def __init__(self, db: asyncpg.Pool | asyncpg.Connection) -> None:
        self._db = db

    async def ending(self, position: int | None = None) -> Ending | None:
        """Return what stands at a position, or at the log's head; None if nothing.

        The link is empty where there is none: inside a commit.
        """
        if position is None:
            row = await self._db.fetchrow(_HEAD)
        else:
            row = await self._db.fetchrow(_AT, position)
        return None if row is None else _ending(*row)

    async def newest(self, public_key: bytes | None = None) -> SignedCheckpoint | None:
        """Return the one that reaches furthest, of one key if that is named."""
        row = await self._db.fetchrow(_NEWEST, public_key)
        return None if row is None else _checkpoint(row)

    async def put(self, checkpoint: SignedCheckpoint) -> None:
        """Record one; the same key says so once for each position."""
        ending = checkpoint.ending
        await self._db.execute(
            _PUT,
            ending.position,
            ending.event,
            ending.link,
            checkpoint.made_at,
            checkpoint.public_key,
            checkpoint.signature,
        )

    async def all(self) -> AsyncIterator[tuple[SignedCheckpoint, Ending | None]]:
        """Read every one, by position, with what stands there in the log now."""
        after: tuple[int, bytes] = (-1, b"")
        while rows := await self._db.fetch(_PAGE, *after, PAGE):
            for row in rows:
                yield _checkpoint(row), _ending(row["position"], *row[-2:])
            after = (rows[-1]["position"], rows[-1]["public_key"])


def _ending(position: int, event: UUID | None, link: bytes | None) -> Ending | None:
    return None if event is None else Ending(position, event, link or b"")


def _checkpoint(row: asyncpg.Record) -> SignedCheckpoint:
    return SignedCheckpoint(
        Ending(row["position"], row["event"], row["link"]),
        row["made_at"],
        row["public_key"],
        row["signature"],
    )
