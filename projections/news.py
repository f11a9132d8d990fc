"""What is new in a collection, and which collections something new is in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from domain.names import SCOPE_PREFIX
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


async def scope_has_moved(
    db: Connection, pair: tuple[str, str, str], after: int
) -> bool:
    """Tell if a session came into a scope or left it after a position.

    The pair is (workspace, the scope's peer, observed); a session of which it never
    held anything about whom it observes does not count.
    """
    tenant, observer, observed = pair
    scope = observer.removeprefix(SCOPE_PREFIX)
    moved: bool = await db.fetchval(_MOVED, tenant, observer, observed, scope, after)
    return moved


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

# One that is added again while it is there moves nowhere.
_MOVED: Final = """
    SELECT EXISTS (SELECT FROM scope_session AS p
        WHERE p.tenant = $1 AND p.scope = $4 AND p.from_position > $5
            AND (NOT p.active OR p.begun = p.from_position)
            AND EXISTS (SELECT FROM conclusion AS c WHERE c.tenant = $1
                AND c.observer = $2 AND c.observed = $3 AND c.session = p.session))
"""

_TOUCHED: Final = """
    SELECT DISTINCT observer, observed FROM conclusion
    WHERE tenant = $1 AND observer = $2 AND session = ANY ($3::text[])
    ORDER BY observer, observed
"""
