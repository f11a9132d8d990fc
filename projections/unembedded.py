"""Conclusions that nothing finds by meaning yet: their vectors are still to come."""

from datetime import datetime

import msgspec

from projections.ports import Connection
from projections.vectors import vector_table


class Unembedded(msgspec.Struct, frozen=True, kw_only=True):
    """Whose conclusions are counted, and which model's vectors they are to have.

    Only those concluded after ``since``: what waits longer waits for a model that is
    away or new, and nobody who asks what is pending is to wait for that.
    """

    tenant: str
    model: str
    dimensions: int
    since: datetime
    session: str | None = None
    sender: str | None = None


async def count_unembedded(db: Connection, asked: Unembedded) -> dict[str, int]:
    """Return how many wait in each session that has any."""
    vectors = vector_table("conclusion", asked.model, asked.dimensions)
    there = await db.fetchval("SELECT to_regclass($1) IS NOT NULL", vectors)
    without = _WITHOUT.format(vectors=vectors) if there else ""
    rows = await db.fetch(
        _COUNT.format(without=without),
        asked.tenant,
        asked.since,
        asked.session,
        asked.sender,
    )
    return {row["session"]: row["count"] for row in rows}


_WITHOUT = """
    AND NOT EXISTS (SELECT FROM {vectors} AS v
        WHERE v.tenant = c.tenant AND v.origin = c.origin)
"""

_COUNT = """
    SELECT c.session, count(*)::int AS count FROM conclusion AS c
    WHERE c.tenant = $1 AND c.created_at > $2 AND c.to_position IS NULL
        AND c.id = c.origin AND c.session IS NOT NULL
        AND ($3::text IS NULL OR c.session = $3)
        AND ($4::text IS NULL OR c.observed = $4) {without}
    GROUP BY c.session
"""
