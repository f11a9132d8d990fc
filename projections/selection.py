"""What a quarantine selects, and everything downstream of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from domain.retraction import (
    KeptConclusion,
    TakenConclusion,
    TakenMessages,
    within_bounds,
)
from projections.condition import Bind, Condition, every
from projections.dependants import find_falling
from projections.ports import Connection, Row
from projections.withheld import recalled

SOURCE = {"engine": "name", "version": "version", "model": "model", "prompt": "prompt"}
"""What may be said of a source, and where an event's engine has it."""


class Told(msgspec.Struct, frozen=True):
    """Messages of one session that are selected: ids and numbers, in order."""

    session: str
    ids: tuple[str, ...]
    numbers: tuple[int, ...]

    def taken(self) -> TakenMessages:
        """Return them as they are withheld."""
        return TakenMessages(session=self.session, ids=self.ids)


class Drawn(msgspec.Struct, frozen=True):
    """Conclusions that fall, and those that lose something and stand."""

    conclusions: tuple[TakenConclusion, ...]
    kept: tuple[KeptConclusion, ...]


async def find_told(
    db: Connection, tenant: str, where: Condition, most: int
) -> list[Told]:
    """Return the messages ``m`` for which a condition holds, by session.

    One more than the ``most`` is enough to know that they are too many; those
    withheld before are passed over.
    """
    bind = Bind(tenant)
    rows = await db.fetch(
        "SELECT m.session, m.id, m.seq FROM message AS m WHERE m.tenant = $1"  # noqa: S608  every value is bound
        f" AND {every(recalled(), where)(bind)}"
        f" ORDER BY m.session, m.seq LIMIT {bind(most + 1)}",
        *bind.values,
    )
    told: dict[str, list[Row]] = {}
    for row in rows:
        told.setdefault(row["session"], []).append(row)
    return [
        Told(session, tuple(r["id"] for r in of), tuple(r["seq"] for r in of))
        for session, of in told.items()
    ]


async def find_resting(db: Connection, tenant: str, told: Sequence[Told]) -> Drawn:
    """Return what falls without these messages, and what stands without them.

    A conclusion that cites others falls when none of what it cites is left to recall,
    or not that in whose words it is told.
    What was built on conclusions falls with those.
    """
    messages = [message for each in told for message in each.ids]
    rows = await db.fetch(_RESTING, tenant, messages)
    first = [row for row in rows if not row["left"] and _said(row)]
    falling = await find_falling(db, tenant, [_taken(row) for row in first])
    fallen = {each.id for each in falling.conclusions}
    kept = [
        KeptConclusion(id=row["origin"], lost=row["lost"])
        for row in rows
        if row["origin"] not in fallen
    ]
    known = {each.id for each in kept}
    kept += [each for each in falling.kept if each.id not in known]
    return Drawn(falling.conclusions, tuple(kept))


async def find_derived(
    db: Connection, tenant: str, source: Mapping[str, str], told: Sequence[Told] | None
) -> Drawn:
    """Return what an engine derived, of these messages or of any, and what falls."""
    bind = Bind(tenant)
    cites = "TRUE"
    if told is not None:
        messages = bind([message for each in told for message in each.ids])
        cites = (
            "EXISTS (SELECT FROM evidence AS e WHERE e.tenant = c.tenant"
            f" AND e.conclusion = c.origin AND e.message = ANY ({messages}::text[]))"
        )
    rows = await db.fetch(
        _DERIVED.format(of=is_of(source, "l.engine", "d.engine")(bind), cites=cites),
        *bind.values,
    )
    falling = await find_falling(db, tenant, [_taken(row) for row in rows])
    return Drawn(falling.conclusions, falling.kept)


async def find_citing(db: Connection, tenant: str, cited: Sequence[str]) -> list[str]:
    """Return the ids of answers that rest on any of these."""
    return [row["answer"] for row in await db.fetch(_CITING, tenant, list(cited))]


def is_of(source: Mapping[str, str], *engines: str) -> Condition:
    """Hold for what an engine of such a description made."""

    def write(bind: Bind) -> str:
        wanted = {SOURCE[name]: value for name, value in source.items()}
        made = f"coalesce({', '.join((*engines, 'NULL'))})"
        return f"{made} @> {bind(msgspec.json.encode(wanted).decode())}::jsonb"

    return write


def _said(row: Row) -> bool:
    """Tell whether a conclusion rests on words alone."""
    return row["level"] == "explicit" or not row["sources"]


def _taken(row: Any) -> TakenConclusion:
    return TakenConclusion(
        id=row["origin"],
        session=row["session"],
        holder=row["observer"],
        observed=row["observed"],
    )


def check_size(told: Sequence[Told], drawn: Drawn, others: int) -> None:
    """Refuse more than one unit may take.

    Raises:
        TooMuch
    """
    said = sum(len(each.ids) for each in told)
    within_bounds(said + len(drawn.conclusions) + others)


# A conclusion once, by the row of the id it was derived under if that holds.
_RESTING = f"""
    SELECT DISTINCT ON (c.origin) c.origin, c.session, c.observer, c.observed,
        c.level, c.sources, cited.lost, EXISTS (
            SELECT FROM evidence AS e
            JOIN message AS m ON m.tenant = e.tenant AND m.id = e.message
            WHERE e.tenant = c.tenant AND e.conclusion = c.origin
                AND NOT e.message = ANY ($2::text[]) AND {recalled()(Bind())}
        ) AND NOT cited.worded AS left
    FROM (
        SELECT e.conclusion, min(e.message) AS lost, bool_or(e.worded) AS worded
        FROM evidence AS e
        WHERE e.tenant = $1 AND e.message = ANY ($2::text[]) GROUP BY e.conclusion
    ) AS cited
    JOIN conclusion AS c ON c.tenant = $1 AND c.origin = cited.conclusion
        AND c.to_position IS NULL
    ORDER BY c.origin, c.id <> c.origin, c.id
"""  # noqa: S608  our own words

_DERIVED = """
    SELECT DISTINCT ON (c.origin) c.origin, c.session, c.observer, c.observed
    FROM life AS l
    LEFT JOIN derivation AS d ON d.tenant = l.tenant AND d.id = l.derivation
        AND d.kind = 'conclusions'
    JOIN conclusion AS c ON c.tenant = l.tenant AND c.origin = l.origin
        AND c.to_position IS NULL
    WHERE l.tenant = $1 AND l.what = 'derived' AND {of} AND {cites}
    ORDER BY c.origin, c.id <> c.origin, c.id
"""

_CITING = """
    SELECT DISTINCT answer FROM citation
    WHERE tenant = $1 AND cited = ANY ($2::text[]) ORDER BY answer
"""
