"""How far reasoning came: items done, sessions derived, and what waits too long."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from projections.ports import Connection


class Items(msgspec.Struct, frozen=True):
    """Work items of one session: asked for since the beginning, and done."""

    session: str
    total: int
    completed: int


class SessionProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a session is derived, in its own numbers and in log positions.

    ``oldest_pending_at`` is when the oldest message still to be reasoned about was
    recorded; None when nothing waits.
    """

    session: str
    last_position: int
    last_seq: int
    derived_seq: int
    derived_position: int
    oldest_pending_at: datetime | None


async def count_items(
    db: Connection, tenant: str, session: str | None = None, sender: str | None = None
) -> list[Items]:
    """Return the items of each session that has any, by session (HC E06)."""
    rows = await db.fetch(
        "SELECT session, sum(total)::int, sum(completed)::int FROM progress"
        " WHERE tenant = $1 AND ($2::text IS NULL OR session = $2)"
        " AND ($3::text IS NULL OR sender = $3) GROUP BY session ORDER BY session",
        tenant,
        session,
        sender,
    )
    return [Items(row[0], row[1], row[2]) for row in rows]


async def get_progress(
    db: Connection, tenant: str, session: str
) -> SessionProgress | None:
    """Return how far a session came, None when nothing was said in it."""
    row = await db.fetchrow(
        "SELECT last_position, last_seq, derived_seq, derived_position,"
        " oldest_pending_at FROM session_progress WHERE tenant = $1 AND session = $2",
        tenant,
        session,
    )
    if row is None:
        return None
    return SessionProgress(
        session=session,
        last_position=row["last_position"],
        last_seq=row["last_seq"],
        derived_seq=row["derived_seq"],
        derived_position=row["derived_position"],
        oldest_pending_at=row["oldest_pending_at"],
    )


class Overdue(msgspec.Struct, frozen=True):
    """Sessions with messages nobody asked for that wait since a time or longer.

    ``next_at`` is since when the longest waiting of the others does.
    """

    sessions: list[tuple[str, str]]
    next_at: datetime | None


async def find_overdue(
    db: Connection, since: datetime, most: int, but: Sequence[tuple[str, str]] = ()
) -> Overdue:
    """Return ``most`` sessions ``but`` these, those that wait longest first."""
    tenants, sessions = [each[0] for each in but], [each[1] for each in but]
    rows = await db.fetch(_OVERDUE, most + 1, tenants, sessions)
    late = [row for row in rows if row["waits"] <= since]
    return Overdue(
        [(row["tenant"], row["session"]) for row in late[:most]],
        rows[len(late)]["waits"] if len(late) < len(rows) else None,
    )


# Of a session in which some is asked for already, only what came later counts.
_OVERDUE = """
    SELECT p.tenant, p.session, m.recorded_at AS waits
    FROM session_progress AS p
    CROSS JOIN LATERAL (
        SELECT m.recorded_at FROM message AS m
        WHERE m.tenant = p.tenant AND m.session = p.session AND m.derive
            AND m.seq > greatest(p.derived_seq, p.asked_seq)
        ORDER BY m.seq LIMIT 1
    ) AS m
    WHERE p.oldest_pending_at IS NOT NULL AND p.last_seq > p.asked_seq
        AND (p.tenant, p.session) NOT IN (
            SELECT * FROM unnest($2::text[], $3::text[]))
    ORDER BY m.recorded_at LIMIT $1
"""
