"""What one peer inferred, and holds no longer enough for (RS 2.8)."""

from typing import Final

from domain.retraction import TakenConclusion
from domain.support import still_stands
from projections.ports import Connection


async def find_unheld(
    db: Connection, tenant: str, observer: str
) -> list[TakenConclusion]:
    """Return what an observer inferred from what it does not hold any more.

    A scope loses what its sessions told as they leave it; what was inferred from that
    may be no more told there, even where somebody else still holds all of it. What
    falls takes along what was built on it.
    """
    rows = await db.fetch(_INFERRED, tenant, observer)
    sources = sorted({source for row in rows for source in row["sources"]})
    known = await db.fetch(_HELD, tenant, observer, sources)
    held = {row["origin"] for row in known} | {row["id"] for row in known}
    left = {row["origin"]: row for row in rows}
    fallen: list[TakenConclusion] = []
    while True:
        falls = [
            row
            for row in left.values()
            if not still_stands(
                row["level"],
                len(row["sources"]),
                sum(source in held for source in row["sources"]),
            )
        ]
        if not falls:
            return fallen
        for row in falls:
            held -= {row["origin"], row["id"]}
            del left[row["origin"]]
            fallen.append(
                TakenConclusion(
                    id=row["origin"],
                    session=row["session"],
                    holder=observer,
                    observed=row["observed"],
                )
            )


_INFERRED: Final = """
    SELECT id, origin, session, observed, level, sources FROM conclusion
    WHERE tenant = $1 AND observer = $2 AND to_position IS NULL AND named
        AND level <> 'explicit' AND sources <> '{}'
    ORDER BY born, id
"""

_HELD: Final = """
    SELECT id, origin FROM conclusion
    WHERE tenant = $1 AND observer = $2 AND to_position IS NULL
        AND (origin = ANY ($3::text[]) OR id = ANY ($3::text[]))
"""
