"""Which texts are held of peers, word for word."""

from collections.abc import Sequence

from projections.conclusions import digest_of
from projections.ports import Connection


async def find_held(
    db: Connection, tenant: str, peers: Sequence[str], texts: Sequence[str]
) -> list[tuple[str, str]]:
    """Return (observed peer, content) of what these peers' memory says so, or nearly.

    They agree in what :func:`digest_of` tells; whether it is that text is for the
    caller to say.
    """
    if not texts:
        return []
    said = [digest_of(tenant, each) for each in texts]
    rows = await db.fetch(_HELD, tenant, list(peers), said)
    return [(row["observed"], row["content"]) for row in rows]


# By its words each line made every conclusion of the workspace be read. ``said`` names
# the tenant, too: no other index is to look worth its while.
_HELD = """
    SELECT DISTINCT c.observed, c.content FROM conclusion AS c
    WHERE c.said = ANY ($3::text[]) AND c.to_position IS NULL
        AND (c.tenant = $1) IS TRUE AND (c.observed = ANY ($2::text[])) IS TRUE
"""
