"""What falls with a conclusion: all that rests on it and cannot stand without it.

Which rows hold tells who still stands; what an erasure takes is told by
``projections/bereft.py``, for there even what was retracted before must go.
"""

from collections.abc import Iterable, Sequence

import msgspec

from domain.retraction import (
    KeptConclusion,
    TakenConclusion,
    within_bounds,
)
from domain.support import still_stands
from projections.ports import Connection, Row


class Falling(msgspec.Struct, frozen=True):
    """What falls, what it began with first, and what loses something and stands."""

    conclusions: tuple[TakenConclusion, ...]
    kept: tuple[KeptConclusion, ...]


async def find_falling(
    db: Connection,
    tenant: str,
    first: Sequence[TakenConclusion],
    observer: str | None = None,
) -> Falling:
    """Return what falls when these do, for one observer or for everybody.

    Whatever rests on what falls is judged until nothing more falls: level by level,
    each in the order of its ids, so that the same views give the same answer. A
    source is looked up workspace-wide, whether it is named by the id it was derived
    under or by that of anybody's row (RS 13.1 W21).

    Raises:
        TooMuch: more than one unit may take.
    """
    fallen = {each.id: each for each in first}
    gone = await _ids_of(db, tenant, fallen, observer)
    while True:
        within_bounds(len(fallen))
        origins = list(fallen)
        rows = await db.fetch(_RESTING, tenant, list(gone), origins, observer)
        standing = await _standing(db, tenant, rows, gone)
        falls = [row for row in rows if not _stands(row, standing)]
        if not falls:
            kept = tuple(
                KeptConclusion(id=r["origin"], lost=_lost(r, gone)) for r in rows
            )
            return Falling(tuple(fallen.values()), kept)
        new = [_taken(row, _lost(row, gone), observer) for row in falls]
        fallen.update({each.id: each for each in new})
        gone |= await _ids_of(db, tenant, [each.id for each in new], observer)


async def _ids_of(
    db: Connection, tenant: str, origins: Iterable[str], observer: str | None
) -> dict[str, str]:
    """Return the ids under which what falls may be named as a source, with its own."""
    wanted = list(origins)
    rows = await db.fetch(_NAMED, tenant, wanted, observer)
    return {**{each: each for each in wanted}, **{r["id"]: r["origin"] for r in rows}}


async def _standing(
    db: Connection, tenant: str, rows: Sequence[Row], gone: dict[str, str]
) -> set[str]:
    """Return those sources of the rows that hold for somebody and do not fall."""
    sources = sorted({s for row in rows for s in row["sources"] if s not in gone})
    if not sources:
        return set()
    return {row["source"] for row in await db.fetch(_HOLDING, tenant, sources)}


def _stands(row: Row, standing: set[str]) -> bool:
    left = sum(source in standing for source in row["sources"])
    return still_stands(row["level"], len(row["sources"]), left)


def _lost(row: Row, gone: dict[str, str]) -> str:
    return next(gone[source] for source in row["sources"] if source in gone)


def _taken(row: Row, because: str, observer: str | None) -> TakenConclusion:
    return TakenConclusion(
        id=row["origin"],
        session=row["session"],
        holder=row["observer"],
        observed=row["observed"],
        observer=observer,
        because=because,
    )


_NAMED = """
    SELECT DISTINCT id, origin FROM conclusion
    WHERE tenant = $1 AND origin = ANY ($2::text[])
        AND ($3::text IS NULL OR observer = $3)
"""

_RESTING = """
    SELECT DISTINCT ON (c.origin)
        c.origin, c.session, c.observer, c.observed, c.level, c.sources
    FROM conclusion AS c
    WHERE c.tenant = $1 AND c.to_position IS NULL AND c.sources <> '{}'
        AND c.sources && $2::text[] AND NOT c.origin = ANY ($3::text[])
        AND ($4::text IS NULL OR c.observer = $4)
    ORDER BY c.origin, c.id <> c.origin, c.id
"""

_HOLDING = """
    SELECT g.source FROM unnest($2::text[]) AS g(source)
    WHERE EXISTS (SELECT FROM conclusion AS c WHERE c.tenant = $1
            AND c.id = g.source AND c.to_position IS NULL)
        OR EXISTS (SELECT FROM conclusion AS c WHERE c.tenant = $1
            AND c.origin = g.source AND c.to_position IS NULL)
"""


class Baseless(msgspec.Struct, frozen=True):
    """A conclusion that could not stand if it came back.

    ``unit`` is the one that took what it lacks; None if nothing can bring that back.
    """

    id: str
    unit: str | None


async def find_unsupported(
    db: Connection, tenant: str, unit: str, taken: Sequence[TakenConclusion]
) -> list[Baseless]:
    """Return those that could not stand if all that a unit took came back.

    That is what it took, and what it withheld, with nothing else changed.
    """
    coming = {each.id for each in taken}
    wordless = await db.fetch(_WORDLESS, tenant, sorted(coming), unit)
    found = [Baseless(row["origin"], row["unit"]) for row in wordless]
    coming -= {each.id for each in found}
    rows = await db.fetch(_TAKEN, tenant, sorted(coming))
    sources = sorted({source for row in rows for source in row["sources"]})
    named = {r["source"]: r for r in await db.fetch(_SOURCES, tenant, sources)}
    while True:
        new: list[Baseless] = []
        for row in rows:
            if row["origin"] not in coming:
                continue
            lacks = [s for s in row["sources"] if not _comes(named.get(s), coming)]
            left = len(row["sources"]) - len(lacks)
            if not still_stands(row["level"], len(row["sources"]), left):
                new.append(Baseless(row["origin"], _unit_of(named.get(lacks[0]))))
        if not new:
            return found
        found += new
        coming -= {each.id for each in new}


def _comes(source: Row | None, coming: set[str]) -> bool:
    return source is not None and (source["holds"] or source["origin"] in coming)


def _unit_of(source: Row | None) -> str | None:
    return None if source is None else source["unit"] or None


# Rests on words, and another unit withholds all of them, or they are erased.
_WORDLESS = """
    SELECT c.origin, max(q.unit) AS unit
    FROM (
        SELECT DISTINCT tenant, origin FROM conclusion
        WHERE tenant = $1 AND origin = ANY ($2::text[])
            AND (level = 'explicit' OR sources = '{}')
    ) AS c
    JOIN evidence AS e ON e.tenant = c.tenant AND e.conclusion = c.origin
    LEFT JOIN message AS m ON m.tenant = e.tenant AND m.id = e.message
    LEFT JOIN withheld AS q ON q.tenant = e.tenant AND q.message = e.message
        AND q.to_position IS NULL AND q.unit <> $3
    GROUP BY c.origin
    HAVING bool_and(m.id IS NULL OR q.unit IS NOT NULL)
    ORDER BY c.origin
"""

_TAKEN = """
    SELECT DISTINCT ON (origin) origin, level, sources FROM conclusion
    WHERE tenant = $1 AND origin = ANY ($2::text[]) AND sources <> '{}'
    ORDER BY origin, id <> origin, id
"""

_SOURCES = """
    SELECT g.source, min(c.origin) AS origin, bool_or(c.to_position IS NULL) AS holds,
        (array_agg(c.unit ORDER BY c.to_position DESC NULLS FIRST))[1] AS unit
    FROM unnest($2::text[]) AS g(source)
    CROSS JOIN LATERAL (
        SELECT origin, to_position, unit FROM conclusion AS c
        WHERE c.tenant = $1 AND c.id = g.source
        UNION ALL
        SELECT origin, to_position, unit FROM conclusion AS c
        WHERE c.tenant = $1 AND c.origin = g.source AND c.id <> g.source
    ) AS c
    GROUP BY g.source
"""
