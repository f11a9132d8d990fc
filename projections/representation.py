"""A representation: what one peer holds of another, chosen within a budget (HC 6.3)."""

from collections.abc import Sequence

import msgspec

from projections.as_of import NOW, holding
from projections.conclusion_search import ConclusionQuestion, search_conclusions
from projections.condition import Bind, Condition, always, every
from projections.covered import covered
from projections.ports import Connection
from projections.probe import Probe
from projections.representation_text import Observation

MOST = 100
"""Most conclusions in a representation."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Whose memory of whom, and what of it.

    ``sessions`` confines it to explicit conclusions of these sessions; none at all is
    nothing recalled. ``top`` and ``farthest`` count only with a ``query``. It is what
    was held at ``as_of``.
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
    as_of: int = NOW


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
    arms = _arms(wanted, shares, similar, bind)
    if not arms:
        return []
    rows = await db.fetch(
        f"""
        SELECT level, content, session, occurred_at FROM ({" UNION ".join(arms)}) AS c
        ORDER BY occurred_at, created_at, born, id
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


def _arms(
    wanted: Wanted, shares: Shares, similar: Sequence[str], bind: Bind
) -> list[str]:
    """Write one query for each share there is, each the head of an index."""
    there = every(holding(wanted.as_of, "c"), _within(wanted.sessions))
    held = f"""
        SELECT id, level, content, session, occurred_at, created_at, born
        FROM conclusion AS c WHERE c.tenant = $1 AND c.observer = $2
            AND c.observed = $3 AND {there(bind)}
    """  # noqa: S608  every value is bound
    arms = []
    if similar:
        arms.append(f"({held} AND c.id = ANY({bind(similar)}))")
    for share, order in ((shares.frequent, _OFTEN), (shares.recent, _NEWEST)):
        if share:
            arms.append(f"({held} ORDER BY {order} LIMIT {bind(share)})")
    return arms


_OFTEN = "c.times_derived DESC, c.created_at DESC, c.id"
_NEWEST = "c.created_at DESC, c.from_position DESC, c.id"


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
            as_of=wanted.as_of,
        ),
    )
    return [each.id for each in found]


def _within(sessions: Sequence[str] | None) -> Condition:
    """Hold for what may be served under an allow-list."""
    return always if sessions is None else covered("c", sessions)


def _once(lines: Sequence[tuple[str | None, Observation]]) -> list[Observation]:
    """Keep one of those equal in text, time of the source and session."""
    known: dict[tuple[object, ...], Observation] = {}
    for session, each in lines:
        known.setdefault((each.level, each.content, each.at, session), each)
    return list(known.values())
