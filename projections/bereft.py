"""Conclusions that rest on nothing but one session: what goes when it goes (RS 1.8)."""

from collections.abc import Sequence

import msgspec

from projections.ports import Connection


class Bereft(msgspec.Struct, frozen=True):
    """A conclusion by the id it was derived under, and where it belongs.

    ``session`` is None where it belongs to the pair.
    """

    origin: str
    session: str | None
    observer: str
    observed: str


async def find_bereft(db: Connection, tenant: str, session: str) -> list[Bereft]:
    """Return the conclusions outside a session that rest on it alone.

    Also those that were retracted before: they could be reinstated, and their texts
    are in the views. A conclusion goes when every message it cites was said in the
    session and every conclusion it was built on goes too, or went before: erased, or,
    if it holds itself, retracted.
    """
    gone: set[str] = set()
    for row in await db.fetch(_OWN, tenant, session):
        gone.update((row["id"], row["origin"]))
    found: list[Bereft] = []
    while rows := await db.fetch(_BEREFT, tenant, session, list(gone)):
        found += [Bereft(*(row[n] for n in range(4))) for row in rows]
        origins = [row["origin"] for row in rows]
        for row in await db.fetch(_SEEN, tenant, origins):
            gone.update((row["id"], row["origin"]))
    return found


async def find_quotable(db: Connection, tenant: str, session: str) -> list[str]:
    """Return the ids under which an answer may cite what a session holds."""
    return [row["id"] for row in await db.fetch(_QUOTABLE, tenant, session)]


async def find_quoted(
    db: Connection, tenant: str, messages: Sequence[str], conclusions: Sequence[str]
) -> list[str] | None:
    """Return the sessions these belong to or rest on; None if any is no more."""
    rows = await db.fetch(_QUOTED, tenant, list(messages), list(conclusions))
    if {row["id"] for row in rows} < {*messages, *conclusions}:
        return None
    return sorted({row["session"] for row in rows if row["session"] is not None})


_QUOTED = """
    SELECT id, session FROM message WHERE tenant = $1 AND id = ANY ($2::text[])
    UNION SELECT origin, session FROM conclusion
    WHERE tenant = $1 AND origin = ANY ($3::text[])
    UNION SELECT conclusion, session FROM evidence
    WHERE tenant = $1 AND conclusion = ANY ($3::text[])
"""

_QUOTABLE = """
    SELECT id FROM message WHERE tenant = $1 AND session = $2
    UNION SELECT id FROM conclusion WHERE tenant = $1 AND session = $2
    UNION SELECT origin FROM conclusion WHERE tenant = $1 AND session = $2
    UNION SELECT conclusion FROM evidence WHERE tenant = $1 AND session = $2
"""

_OWN = """
    SELECT DISTINCT id, origin FROM conclusion WHERE tenant = $1 AND session = $2
"""

_SEEN = """
    SELECT DISTINCT id, origin FROM conclusion
    WHERE tenant = $1 AND origin = ANY($2::text[])
"""

_BEREFT = """
    SELECT DISTINCT ON (c.origin) c.origin, c.session, c.observer, c.observed
    FROM conclusion AS c
    WHERE c.tenant = $1 AND c.session IS DISTINCT FROM $2
        AND NOT c.origin = ANY($3::text[])
        AND NOT EXISTS (SELECT FROM unnest(c.sources) AS s(id)
            JOIN conclusion AS n ON n.tenant = c.tenant AND n.id = s.id
            JOIN conclusion AS o ON o.tenant = c.tenant AND o.origin = n.origin
            WHERE NOT s.id = ANY($3::text[])
                AND (o.to_position IS NULL OR NOT EXISTS (SELECT FROM conclusion AS h
                    WHERE h.tenant = c.tenant AND h.origin = c.origin
                        AND h.to_position IS NULL)))
        AND NOT EXISTS (SELECT FROM evidence AS e WHERE e.tenant = c.tenant
            AND e.conclusion = c.origin AND e.session <> $2)
        AND (c.sources <> '{}' OR EXISTS (SELECT FROM evidence AS e
            WHERE e.tenant = c.tenant AND e.conclusion = c.origin AND e.session = $2))
    ORDER BY c.origin, c.id <> c.origin
"""
