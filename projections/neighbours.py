"""What a session holds of a peer that is nearest in meaning to a text."""

from collections.abc import Sequence

import msgspec

from projections.ports import Connection
from projections.vectors import vector_table


class NearBy(msgspec.Struct, frozen=True):
    """A conclusion's words, and the cosine distance of their vector."""

    content: str
    distance: float


async def find_nearest(
    db: Connection,
    place: tuple[str, str],
    model: tuple[str, int],
    asked: Sequence[tuple[str, Sequence[float]]],
) -> list[NearBy | None]:
    """Return, for each (observed peer, vector), the nearest explicit conclusion.

    ``place`` are workspace and session, ``model`` the name and dimensions of the
    vectors. It is one that holds for the peer itself; None where there is none.
    """
    table = vector_table("conclusion", *model)
    if not asked or await db.fetchval("SELECT to_regclass($1)", table) is None:
        return [None] * len(asked)
    numbers = [number for _, vector in asked for number in vector]
    rows = await db.fetch(
        _NEAREST.format(table=table),
        *place,
        [observed for observed, _ in asked],
        numbers,
        model[1],
    )
    found: list[NearBy | None] = [None] * len(asked)
    for row in rows:
        found[row["n"] - 1] = NearBy(row["content"], row["distance"])
    return found


# A session's own conclusions are few enough to be compared one by one.
_NEAREST = """
    SELECT g.n::int AS n, c.content, c.distance
    FROM unnest($3::text[]) WITH ORDINALITY AS g(observed, n)
    CROSS JOIN LATERAL (
        SELECT c.content, v.embedding
            <=> ($4::float4[])[(g.n - 1) * $5::int + 1 : g.n * $5::int]::vector
            AS distance
        FROM conclusion AS c
        JOIN {table} AS v ON v.tenant = c.tenant AND v.origin = c.origin
        WHERE c.tenant = $1 AND c.session = $2 AND c.observer = g.observed
            AND c.observed = g.observed AND c.level = 'explicit'
            AND c.to_position IS NULL
        ORDER BY distance LIMIT 1
    ) AS c
    ORDER BY g.n
"""
