"""Drops a collection that serves no more: its vectors, its tables, its reader."""

from datetime import timedelta
from typing import Final

import asyncpg

from infra.postgres.views import LIVE, connect_views
from infra.vectors.wanting import reader_name

_CLAIM: Final = """
WITH claimed AS (
    UPDATE work.collection SET state = 'dropped', rate = NULL, changed_at = now()
    WHERE model = $1 AND state IN ('former', 'dropped') RETURNING model
), noted AS (
    INSERT INTO log.dropped_model (model) SELECT model FROM claimed
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM claimed
"""

_SOME_VECTORS: Final = """
DELETE FROM log.embedding WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM log.embedding WHERE model = $1 LIMIT 5000))
"""

_TABLES: Final = f"SELECT name FROM {LIVE}.vector_collection WHERE model = $1"  # noqa: S608  a constant

_DUE: Final = f"""
SELECT c.model FROM work.collection AS c
WHERE (c.state = 'former' AND c.changed_at <= now() - $1::interval)
    OR (c.state = 'dropped' AND EXISTS (
        SELECT FROM {LIVE}.vector_collection AS v WHERE v.model = c.model))
ORDER BY c.model
"""  # noqa: S608  a constant


async def drop_collection(dsn: str, model: str) -> bool:
    """Drop a former collection; False if there is none of that name.

    One that serves or is being filled is none. Broken off, it is finished when called
    again. Its name is never used again: the model comes back under another.
    """
    db = await connect_views(dsn)
    try:
        if not await db.fetchval(_CLAIM, model):
            return False
        while await db.execute(_SOME_VECTORS, model) != "DELETE 0":
            pass
        for table in ("checkpoint", "held"):
            await db.execute(
                f"DELETE FROM work.{table} WHERE processor = $1",  # noqa: S608  constants
                reader_name(model),
            )
        async with db.transaction():
            for row in await db.fetch(_TABLES, model):
                await db.execute(f'DROP TABLE IF EXISTS {LIVE}."{row["name"]}"')
            await db.execute(
                f"DELETE FROM {LIVE}.vector_collection WHERE model = $1",  # noqa: S608  a constant
                model,
            )
    finally:
        await db.close()
    return True


async def due_to_drop(pool: asyncpg.Pool, kept: timedelta) -> list[str]:
    """Return the models that served no more for so long, or were half dropped."""
    return [row["model"] for row in await pool.fetch(_DUE, kept)]
