"""What is on record of collections: which serves, which fills, which are left."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any, Final, Literal

import asyncpg
import msgspec

State = Literal["filling", "serving", "former", "dropped"]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One collection: its model's name in the log, and how it stands.

    ``base`` is the name without its generation: a model whose vectors were dropped
    comes back under another. ``since`` is the position it serves from, ``asked`` how
    its model is asked (no keys), ``rate`` how fast it was last filled, in events a
    second; ``wanted_by`` who asked for its model last, a role and its host.
    """

    model: str
    base: str
    generation: int
    dimensions: int
    state: State
    since: int
    asked: dict[str, Any]
    rate: float | None = None
    wanted_by: str | None = None
    wanted_at: datetime | None = None


_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(6126248, 0)"

_ALL: Final = """
SELECT model, base, generation, dimensions, state, since, asked::text AS asked,
    wanted_by, wanted_at,
    CASE WHEN noted_at > now() - interval '1 minute' THEN rate END AS rate
FROM work.collection ORDER BY changed_at, model
"""

_FILL: Final = """
INSERT INTO work.collection (model, base, generation, dimensions, state, asked)
VALUES ($1, $2, $3, $4, 'filling', $5::text::jsonb)
ON CONFLICT (model) DO UPDATE
    SET state = 'filling', asked = excluded.asked, changed_at = now()
    WHERE collection.state = 'former'
"""

_GIVE_UP: Final = """
UPDATE work.collection SET state = 'former', rate = NULL, changed_at = now()
WHERE state = 'filling' AND model <> $1
"""

_ASK: Final = "UPDATE work.collection SET asked = $2::text::jsonb WHERE model = $1"

_STEP_BACK: Final = """
UPDATE work.collection SET state = 'former', changed_at = now()
WHERE state = 'serving' AND model <> $1
"""

_SERVE: Final = """
INSERT INTO work.collection (model, base, generation, dimensions, state, asked, since)
VALUES ($1, $2, $3, $4, 'serving', $5::text::jsonb, $6)
ON CONFLICT (model) DO UPDATE SET state = 'serving', asked = excluded.asked,
    since = excluded.since, rate = NULL, changed_at = now()
"""

_IS_FILLING: Final = """
SELECT EXISTS (SELECT FROM work.collection WHERE model = $1 AND state = 'filling')
"""

_WANTED: Final = """
UPDATE work.collection SET wanted_by = $2, wanted_at = now() WHERE model = $1
"""

_NOTE: Final = """
UPDATE work.collection SET rate = $2, noted_at = now() WHERE model = $1
"""


class CollectionLedger:
    """The table ``work.collection``; what changes it is done one at a time."""

    def __init__(self, db: asyncpg.Pool | asyncpg.Connection) -> None:
        self._db = db

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[asyncpg.Connection]:
        """Do several statements as one, beside no other process that does."""
        async with AsyncExitStack() as stack:
            db = self._db
            if isinstance(db, asyncpg.Pool):
                db = await stack.enter_async_context(db.acquire())
            await stack.enter_async_context(db.transaction())
            await db.execute(_ONE_AT_A_TIME)
            yield db

    async def all(self) -> list[Known]:
        """Return every collection there is or was, the oldest change first."""
        rows = await self._db.fetch(_ALL)
        return [
            Known(**{**dict(row), "asked": msgspec.json.decode(row["asked"])})
            for row in rows
        ]

    async def fill(self, known: Known) -> None:
        """Let this one be filled, and no other."""
        async with self.alone() as db:
            await db.execute(_GIVE_UP, known.model)
            await db.execute(_FILL, *_row(known))

    async def keep(self, known: Known) -> None:
        """Let no other be filled, and note how the one that serves is asked now."""
        async with self.alone() as db:
            await db.execute(_GIVE_UP, known.model)
            await db.execute(_ASK, known.model, _row(known)[-1])

    async def serve(self, known: Known) -> None:
        """Let this one serve from ``since`` on, and the one before step back."""
        async with self.alone() as db:
            await db.execute(_STEP_BACK, known.model)
            await db.execute(_SERVE, *_row(known), known.since)

    async def change_over(self, filled: Known) -> bool:
        """Let it serve if it is still the one that is filled; False if it is not."""
        async with self.alone() as db:
            if not await db.fetchval(_IS_FILLING, filled.model):
                return False
            await db.execute(_STEP_BACK, filled.model)
            await db.execute(_SERVE, *_row(filled), filled.since)
        return True

    async def wanted(self, model: str, by: str) -> None:
        """Note who asked for it."""
        await self._db.execute(_WANTED, model, by)

    async def note(self, model: str, rate: float) -> None:
        """Note how fast it is filled."""
        await self._db.execute(_NOTE, model, rate)


def _row(known: Known) -> tuple[str, str, int, int, str]:
    asked = msgspec.json.encode(known.asked).decode()
    return (known.model, known.base, known.generation, known.dimensions, asked)
