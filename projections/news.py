"""What is new in a collection, and which collections something new is in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from projections.ports import Connection


class NewsRow(msgspec.Struct, frozen=True):
    """How many explicit conclusions are new, and the newest: when, in which session."""

    count: int
    newest: datetime | None
    session: str | None


async def count_news(db: Connection, pair: tuple[str, str, str], after: int) -> NewsRow:
    """Count what the (workspace, observer, observed) came to hold after a position.

    What was retracted since counts too: the number never falls (RS 13.1 W7).
    """
    row = await db.fetchrow(_NEWS, *pair, after)
    if row is None or not row["count"]:
        return NewsRow(0, None, None)
    return NewsRow(row["count"], row["newest"], row["session"])


async def pairs_holding(
    db: Connection, tenant: str, conclusions: Sequence[str]
) -> list[tuple[str, str]]:
    """Return the (observer, observed) that came to hold any of these."""
    rows = await db.fetch(_HOLDERS, tenant, list(conclusions))
    return [(row["observer"], row["observed"]) for row in rows]


async def pairs_of_scope(
    db: Connection, tenant: str, observer: str, sessions: Sequence[str]
) -> list[tuple[str, str]]:
    """Return the collections of a scope's peer with anything of these sessions."""
    rows = await db.fetch(_TOUCHED, tenant, observer, list(sessions))
    return [(row["observer"], row["observed"]) for row in rows]


# A pair's rows by their age, so that what is older than the last dream is not read.
_NEWS: Final = """
    SELECT count(DISTINCT n.id) AS count, max(n.created_at) AS newest,
        (array_agg(n.session ORDER BY n.created_at DESC, n.born DESC, n.id))[1]
            AS session
    FROM conclusion AS n
    WHERE n.tenant = $1 AND n.observer = $2 AND n.observed = $3
        AND n.level = 'explicit' AND n.born > $4
"""

_HOLDERS: Final = """
    SELECT DISTINCT observer, observed FROM conclusion
    WHERE tenant = $1 AND origin = ANY ($2::text[]) AND level = 'explicit'
    ORDER BY observer, observed
"""

_TOUCHED: Final = """
    SELECT DISTINCT observer, observed FROM conclusion
    WHERE tenant = $1 AND observer = $2 AND session = ANY ($3::text[])
    ORDER BY observer, observed
"""
