"""A representation: what one peer holds of another, chosen within a budget (HC 6.3)."""

from collections.abc import Sequence

import msgspec

from projections.collection import Probe
from projections.conclusion_search import ConclusionQuestion, search_conclusions
from projections.condition import Bind, Condition, always
from projections.ports import Connection
from projections.representation_text import Observation

MOST = 100
"""Most conclusions in a representation."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Whose memory of whom, and what of it.

    ``sessions`` confines it to explicit conclusions of these sessions; none at all is
    nothing recalled. ``top`` and ``farthest`` count only with a ``query``.
    """

    tenant: str
    observer: str
    observed: str
    budget: int = MOST
    query: str | None = None
    probe: Probe | None = None
    top: int | None = None
    farthest: float | None = None
    frequent: bool = False
    sessions: Sequence[str] | None = None


class Shares(msgspec.Struct, frozen=True):
    """How the budget is split: by meaning, by how often derived, by age."""

    similar: int
    frequent: int
    recent: int


def split(wanted: Wanted) -> Shares:
    """Split a budget in thirds, or in halves where nothing is searched for.

    Integer division throughout; what one share cannot fill no other fills (HC 6.3).
    """
    budget = wanted.budget
    similar = min(max(1, wanted.top or budget // 3), budget) if wanted.query else 0
    often = budget // 3 if wanted.query else budget // 2
    frequent = min(often, budget - similar) if wanted.frequent else 0
    return Shares(similar, frequent, budget - similar - frequent)


async def represent(db: Connection, wanted: Wanted) -> list[Observation]:
    """Return what is chosen, oldest first, equal observations once.

    Without a vector of the query its words choose the similar ones, unless a distance
    was asked for: then only vectors could tell, and none is chosen.
    """
    if wanted.sessions is not None and not wanted.sessions:
        return []
    shares = split(wanted)
    similar = await _similar(db, wanted, shares.similar)
    bind = Bind(wanted.tenant, wanted.observer, wanted.observed)
    rows = await db.fetch(
        f"""
        WITH held AS (
            SELECT * FROM conclusion AS c
            WHERE c.tenant = $1 AND c.observer = $2 AND c.observed = $3
              AND c.to_position IS NULL AND {_within(wanted.sessions)(bind)}
        ), chosen AS (
            (SELECT id FROM held WHERE id = ANY({bind(similar)}))
            UNION
            (SELECT id FROM held ORDER BY times_derived DESC, created_at DESC, id
             LIMIT {bind(shares.frequent)})
            UNION
            (SELECT id FROM held ORDER BY created_at DESC, from_position DESC, id
             LIMIT {bind(shares.recent)})
        )
        SELECT level, content, session, occurred_at FROM held JOIN chosen USING (id)
        ORDER BY occurred_at, created_at, id
        """,  # noqa: S608  every value is bound
        *bind.values,
    )
    return _once(
        [
            (
                row["session"],
                Observation(
                    level=row["level"], content=row["content"], at=row["occurred_at"]
                ),
            )
            for row in rows
        ]
    )


async def _similar(db: Connection, wanted: Wanted, share: int) -> list[str]:
    if not share or not wanted.query:
        return []
    found = await search_conclusions(
        db,
        ConclusionQuestion(
            tenant=wanted.tenant,
            observer=wanted.observer,
            observed=wanted.observed,
            query=wanted.query,
            limit=share,
            probe=wanted.probe,
            farthest=wanted.farthest,
            where=_within(wanted.sessions),
        ),
    )
    return [each.id for each in found]


def _within(sessions: Sequence[str] | None) -> Condition:
    """Hold for what may be served under an allow-list: explicit, of its sessions."""
    if sessions is None:
        return always
    return lambda bind: (
        f"c.level = 'explicit' AND c.session = ANY({bind(list(sessions))}::text[])"
    )


def _once(lines: Sequence[tuple[str | None, Observation]]) -> list[Observation]:
    """Keep one of those equal in text, time of the source and session."""
    known: dict[tuple[object, ...], Observation] = {}
    for session, each in lines:
        known.setdefault((each.level, each.content, each.at, session), each)
    return list(known.values())
