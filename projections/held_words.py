"""Which texts are held of peers, word for word."""

from collections.abc import Sequence

from projections.ports import Connection


async def find_held(
    db: Connection, tenant: str, peers: Sequence[str], texts: Sequence[str]
) -> list[tuple[str, str]]:
    """Return (observed peer, content) of what these peers' memory nearly says.

    Each text's words are all in it; whether it is that text is for the caller to say.
    """
    if not texts:
        return []
    rows = await db.fetch(_HELD, tenant, list(peers), list(texts))
    return [(row["observed"], row["content"]) for row in rows]


# What says just that is the shortest of what has all the words.
_HELD = """
    SELECT DISTINCT c.observed, c.content
    FROM unnest($3::text[]) AS g(told)
    CROSS JOIN LATERAL (
        SELECT c.observed, c.content FROM conclusion AS c
        WHERE c.words @@ plainto_tsquery('english', g.told) AND c.tenant = $1
            AND c.observed = ANY ($2::text[]) AND c.to_position IS NULL
        ORDER BY length(c.content), c.id LIMIT 20
    ) AS c
"""
