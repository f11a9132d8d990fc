"""What conclusions were built on and what was built on them, over several steps."""

from collections.abc import Sequence
from typing import Final

import msgspec

from projections.as_of import NOW
from projections.ports import Connection


class Bounds(msgspec.Struct, frozen=True):
    """How far a walk goes: steps, and conclusions found on the way."""

    depth: int
    width: int


class Walked(msgspec.Struct, frozen=True):
    """Conclusions by the ids they were derived under, with the fewest steps to each.

    ``whole`` says whether the walk came to an end by itself.
    """

    depths: dict[str, int]
    whole: bool = True


async def walk_down(
    db: Connection,
    tenant: str,
    origins: Sequence[str],
    bounds: Bounds,
    as_of: int = NOW,
) -> Walked:
    """Walk from conclusions to those they were built on; themselves at depth 0."""
    return await _walk(db, _DOWN, tenant, origins, bounds, as_of)


async def walk_up(
    db: Connection,
    tenant: str,
    origins: Sequence[str],
    bounds: Bounds,
    as_of: int = NOW,
) -> Walked:
    """Walk from conclusions to those that were built on them, themselves at depth 0."""
    return await _walk(db, _UP, tenant, origins, bounds, as_of)


async def _walk(
    db: Connection,
    steps: str,
    tenant: str,
    origins: Sequence[str],
    bounds: Bounds,
    as_of: int,
) -> Walked:
    if not origins:
        return Walked({})
    room = bounds.width + 1
    rows = await db.fetch(
        steps, tenant, list(origins), as_of, bounds.depth + 1, _REPEATED * room, room
    )
    found = {row["origin"]: row["depth"] for row in rows}
    seen = max((row["walked"] for row in rows), default=0)
    within = [each for each in found.items() if each[1] <= bounds.depth]
    whole = len(within) == len(found) <= bounds.width and seen < _REPEATED * room
    return Walked(dict(within[: bounds.width]), whole)


_REPEATED: Final = 8
"""Ways to a conclusion that are followed, of different length, on the average."""

# A conclusion is built on earlier ones, so there is no way round; the bounds hold even
# if a log says otherwise. Rows are found step by step, and no further than asked for.
_WALK: Final = """
    WITH RECURSIVE walk (origin, depth) AS (
        SELECT DISTINCT o.origin COLLATE "C", 0
        FROM unnest($2::text[]) AS o(origin)
        UNION
        {step}
    ), reached AS MATERIALIZED (SELECT origin, depth FROM walk LIMIT $5)
    SELECT origin, min(depth) AS depth, (SELECT count(*) FROM reached) AS walked
    FROM reached GROUP BY origin ORDER BY 2, 1 LIMIT $6
"""

# What is named by the id another peer sees leads to what was derived.
_DOWN: Final = _WALK.format(
    step="""
        SELECT r.origin, w.depth + 1 FROM walk AS w
        JOIN premise AS p ON p.tenant = $1 AND p.conclusion = w.origin
            AND p.position <= $3
        CROSS JOIN LATERAL (SELECT c.origin FROM conclusion AS c
            WHERE c.tenant = $1 AND c.id = p.source LIMIT 1) AS r
        WHERE w.depth < $4
    """
)
_UP: Final = _WALK.format(
    step="""
        SELECT p.conclusion, w.depth + 1 FROM walk AS w
        CROSS JOIN LATERAL (SELECT DISTINCT c.id FROM conclusion AS c
            WHERE c.tenant = $1 AND c.origin = w.origin) AS r
        JOIN premise AS p ON p.tenant = $1 AND p.source = r.id AND p.position <= $3
        WHERE w.depth < $4
    """
)
