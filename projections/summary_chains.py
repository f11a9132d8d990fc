"""Which summaries tell of something, and where their chains fall back to."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from domain.retraction import TakenSummary
from projections.condition import Bind
from projections.ports import Connection, Row
from projections.selection import Told, is_of


async def find_telling(
    db: Connection,
    tenant: str,
    told: Sequence[Told] | None,
    source: Mapping[str, str] | None,
) -> list[TakenSummary]:
    """Return the newest summaries that tell of messages, or that a source had made.

    A summary absorbs the one before it: what one told, all after it may tell. So the
    chain falls back to the last one before the first that tells.
    """
    bind = Bind(tenant, None if told is None else [each.session for each in told])
    of = "TRUE" if source is None else is_of(source, "d.engine")(bind)
    rows = await db.fetch(_CHAINS.format(of=of), *bind.values)
    numbers = None if told is None else {each.session: each.numbers for each in told}
    found = []
    for newest in (row for row in rows if row["newest"]):
        chain = _chain(newest, rows)
        taint = next((n for n, row in enumerate(chain) if _tells(row, numbers)), None)
        if taint is not None:
            found.append(_taken(newest, chain[taint - 1] if taint else None))
    return sorted(found, key=lambda each: (each.session, each.kind))


def _chain(newest: Row, rows: Sequence[Row]) -> list[Row]:
    """Return a summary after all it absorbed, the first one first."""
    by_id = {row["id"]: row for row in rows}
    chain: list[Row] = []
    at: Row | None = newest
    while at is not None:
        chain.append(at)
        at = by_id.get(at["parent"])
    return chain[::-1]


def _tells(row: Row, numbers: Mapping[str, Sequence[int]] | None) -> bool:
    if not row["of"]:
        return False
    if numbers is None:
        return True
    said = numbers[row["session"]]
    first = bisect_left(said, row["from_seq"])
    return first < len(said) and said[first] <= row["to_seq"]


def _taken(newest: Row, before: Row | None) -> TakenSummary:
    return TakenSummary(
        id=newest["id"],
        session=newest["session"],
        kind=newest["kind"],
        to_seq=newest["to_seq"],
        fallback=None if before is None else before["id"],
        fallback_seq=0 if before is None else before["to_seq"],
    )


_CHAINS = """
    SELECT s.session, s.kind, s.id, s.from_seq, s.to_seq, s.parent,
        bool_or(s.to_position IS NULL) AS newest, bool_or({of}) IS TRUE AS of
    FROM summary AS s
    LEFT JOIN derivation AS d ON d.tenant = s.tenant AND d.id = s.id
        AND d.kind = 'summary'
    WHERE s.tenant = $1 AND ($2::text[] IS NULL OR s.session = ANY ($2::text[]))
    GROUP BY s.session, s.kind, s.id, s.from_seq, s.to_seq, s.parent
"""
