"""Conclusions as premises: each as it last stood, with what it rests on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from projections.as_of import NOW
from projections.ports import Connection, Row


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """A conclusion as it last stood, held by its observer or at least by somebody.

    ``sources`` are the ids under which what it was built on was derived, ``messages``
    the public ids of those it rests on, the first of ``cites``.
    """

    id: str
    origin: str
    observer: str
    observed: str
    session: str | None
    level: str
    content: str
    occurred_at: datetime
    created_at: datetime
    times_derived: int
    sources: list[str]
    holds: bool
    held: bool
    messages: list[str]
    cites: int


async def get_grounds(
    db: Connection, tenant: str, ids: Sequence[str], cited: int, as_of: int = NOW
) -> list[Ground]:
    """Return conclusions by the ids of their rows, in the order they came to be.

    Of the messages one rests on the first ``cited`` are named; ``cites`` is how many
    there are.
    """
    rows = await db.fetch(_GROUNDS, tenant, list(ids), as_of, cited)
    return [_ground(row) for row in rows]


# What all of them rest on is read at once: looked up for each, it would be read as
# often as there are conclusions where statistics speak against the index.
_GROUNDS: Final = """
    WITH c AS MATERIALIZED (
        SELECT DISTINCT ON (t.id) t.* FROM conclusion AS t
        WHERE t.tenant = $1 AND t.id = ANY($2::text[]) AND t.from_position <= $3
        ORDER BY t.id, t.from_position DESC
    ), cited AS MATERIALIZED (
        SELECT e.conclusion, count(*) AS cites,
            (array_agg(e.message ORDER BY e.position, e.session, e.seq))[:$4]
                AS messages
        FROM (SELECT DISTINCT origin FROM c) AS g
        JOIN evidence AS e ON e.conclusion = g.origin
        WHERE e.tenant = $1 AND e.position <= $3
        GROUP BY e.conclusion
    )
    SELECT c.id, c.origin, c.observer, c.observed, c.session, c.level, c.content,
        c.occurred_at, c.created_at, c.times_derived,
        ARRAY(SELECT COALESCE((SELECT o.origin FROM conclusion AS o
            WHERE o.tenant = $1 AND o.id = s.id LIMIT 1), s.id)
            FROM unnest(c.sources) WITH ORDINALITY AS s(id, n) ORDER BY s.n) AS sources,
        c.to_position IS NULL OR c.to_position > $3 AS holds,
        EXISTS (SELECT FROM conclusion AS o WHERE o.tenant = $1 AND o.origin = c.origin
            AND o.from_position <= $3
            AND (o.to_position IS NULL OR o.to_position > $3)) AS held,
        coalesce(cited.messages, '{}') AS messages, coalesce(cited.cites, 0) AS cites
    FROM c LEFT JOIN cited ON cited.conclusion = c.origin
    ORDER BY c.born, c.id
"""


def _ground(row: Row) -> Ground:
    names = Ground.__struct_fields__
    return Ground(**{name: row[name] for name in names})
