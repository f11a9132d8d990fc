"""Conclusions, one row for each peer that may see one, as they stand and stood."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.conclusion import ConclusionDerived, ConclusionReinforced
from domain.names import public_id
from domain.recorded import Recorded
from projections.audience import audiences
from projections.columns import as_json, as_text, as_utc
from projections.intervals import Intervals, Values
from projections.page import AS_OF, NOW, Page, Window
from projections.ports import Connection, Row

_VALUES = {
    "origin": "text",
    "observer": "text",
    "observed": "text",
    "session": "text",
    "level": "text",
    "content": "text",
    "occurred_at": "timestamptz",
    "created_at": "timestamptz",
    "times_derived": "int",
    "sources": "jsonb",
    "generation": "int",
    "named": "boolean",
}


class Conclusions:
    """The table ``conclusion``: one row for each state, conclusion and observer.

    ``origin`` is the id the conclusion was derived under. The row of the observed
    peer itself (or of the one observer it was made for, then ``named``) has that id;
    every other observer's row has one made of both. A conclusion drawn again counts
    once more for those who heard it; who hears it then for the first time gets it.
    """

    name = "conclusions"
    version = 1
    tables = """
        CREATE TABLE conclusion (
            tenant        text COLLATE "C" NOT NULL,
            id            text COLLATE "C" NOT NULL,
            origin        text COLLATE "C" NOT NULL,
            observer      text COLLATE "C" NOT NULL,
            observed      text COLLATE "C" NOT NULL,
            session       text COLLATE "C",
            level         text COLLATE "C" NOT NULL,
            content       text NOT NULL,
            occurred_at   timestamptz NOT NULL,
            created_at    timestamptz NOT NULL,
            times_derived integer NOT NULL,
            sources       text[] COLLATE "C" NOT NULL,
            generation    integer NOT NULL,
            named         boolean NOT NULL,
            words         tsvector NOT NULL,
            from_position bigint NOT NULL,
            to_position   bigint,
            PRIMARY KEY (tenant, id, from_position)
        );
        CREATE INDEX conclusion_origin
            ON conclusion (tenant, origin, id, from_position);
    """
    indexes = """
        CREATE UNIQUE INDEX conclusion_current ON conclusion (tenant, id)
            WHERE to_position IS NULL;
        CREATE INDEX conclusion_pair
            ON conclusion (tenant, observer, observed, from_position)
            INCLUDE (to_position);
        CREATE INDEX conclusion_age ON conclusion (tenant, created_at, id)
            WHERE to_position IS NULL;
        CREATE INDEX conclusion_words ON conclusion USING gin (words);
    """
    handles = (ConclusionDerived, ConclusionReinforced)

    def __init__(self) -> None:
        self._rows = Intervals(
            "conclusion",
            key={"tenant": "text", "id": "text"},
            values=_VALUES,
            stored={
                "sources": "ARRAY(SELECT jsonb_array_elements_text(g.sources))",
                "words": "to_tsvector('english', g.content)",
            },
        )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        heard = await audiences(db, batch)
        known = await _load(db, batch)
        opened: list[Values] = []
        for recorded, others in zip(batch, heard, strict=True):
            named = (recorded.event.workspace, _id(recorded))
            match recorded.event:
                case ConclusionDerived() as event:
                    rows = _derived(event, recorded.recorded_at, others)
                    known[named] = {row["observer"]: row for row in rows}
                case ConclusionReinforced() as event:
                    rows = _reinforced(known.get(named, {}), recorded, others)
                case _:
                    continue
            opened.extend({**row, "from_position": recorded.position} for row in rows)
        await self._rows.write(db, opened)


def row_id(origin: str, observer: str) -> str:
    """Return the id of a conclusion as another peer than the observed sees it."""
    return public_id(f"{origin}\n{observer}".encode(), 0)


def _id(recorded: Recorded) -> str:
    return str(getattr(recorded.event, "id", ""))


def _derived(
    event: ConclusionDerived, recorded_at: datetime, others: Sequence[str]
) -> list[Values]:
    first = {
        "tenant": event.workspace,
        "id": event.id,
        "origin": event.id,
        "observer": event.observer or event.observed,
        "observed": event.observed,
        "session": event.session,
        "level": event.level,
        "content": as_text(event.content),
        "occurred_at": as_utc(event.occurred_at),
        "created_at": recorded_at,
        "times_derived": 1,
        "sources": as_json(event.sources),
        "generation": event.generation,
        "named": event.observer is not None,
    }
    if event.observer is not None:
        return [first]
    return [first, *(_seen_by(first, observer) for observer in others)]


def _reinforced(
    rows: dict[str, Values], recorded: Recorded, others: Sequence[str]
) -> list[Values]:
    """Count once more for those who heard it; keep ``rows`` as they now stand."""
    event = recorded.event
    origin = next((r for r in rows.values() if r["id"] == r["origin"]), None)
    if origin is None or not isinstance(event, ConclusionReinforced):
        return []
    heard = [origin["observer"], *(() if origin["named"] else others)]
    occurred_at = as_utc(event.occurred_at)
    opened: list[Values] = []
    for observer in heard:
        before = rows.get(observer)
        if before is None:
            fresh = {"created_at": recorded.recorded_at, "times_derived": 1}
            after = {**_seen_by(origin, observer), **fresh}
        else:
            after = {**before, "times_derived": before["times_derived"] + 1}
        after["occurred_at"] = max(after["occurred_at"], occurred_at)
        rows[observer] = after
        opened.append(after)
    return opened


def _seen_by(origin: Values, observer: str) -> Values:
    return {**origin, "id": row_id(origin["origin"], observer), "observer": observer}


async def _load(
    db: Connection, batch: Sequence[Recorded]
) -> dict[tuple[str, str], dict[str, Values]]:
    """Return the rows, by observer, of what is reinforced and not of this batch."""
    first: dict[tuple[str, str], int] = {}
    for recorded in batch:
        first.setdefault((recorded.event.workspace, _id(recorded)), recorded.position)
    for recorded in batch:
        if isinstance(recorded.event, ConclusionDerived):
            first.pop((recorded.event.workspace, recorded.event.id), None)
    known: dict[tuple[str, str], dict[str, Values]] = {}
    if first:
        tenants, origins = map(list, zip(*first, strict=True))
        for row in await db.fetch(_LOAD, tenants, origins, list(first.values())):
            values: dict[str, Any] = {name: row[name] for name in _SENT}
            key = (row["tenant"], row["origin"])
            known.setdefault(key, {})[row["observer"]] = values
    return known


_SENT = ("tenant", "id", *_VALUES)
_LOAD = """
    SELECT DISTINCT ON (t.tenant, t.id) t.tenant, t.id, t.origin, t.observer,
        t.observed, t.session, t.level, t.content, t.occurred_at, t.created_at,
        t.times_derived, to_jsonb(t.sources) AS sources, t.generation, t.named
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS g(tenant, origin, position)
    JOIN conclusion AS t ON t.tenant = g.tenant AND t.origin = g.origin
        AND t.from_position < g.position
    ORDER BY t.tenant, t.id, t.from_position DESC
"""


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """One conclusion as one observer holds it."""

    id: str
    origin: str
    observer: str
    observed: str
    session: str | None
    level: str
    content: str
    occurred_at: datetime
    created_at: datetime
    times_derived: int
    sources: list[str]
    generation: int


COLUMNS = (
    "id, origin, observer, observed, session, level, content, occurred_at, created_at,"
    " times_derived, sources, generation"
)
"""The columns ``conclusion_of`` reads."""


async def get_conclusion(
    db: Connection, tenant: str, conclusion: str, as_of: int = NOW
) -> Conclusion | None:
    """Return a conclusion as it stood at a position, None if there was none."""
    row = await db.fetchrow(
        f"SELECT {COLUMNS} FROM conclusion WHERE {AS_OF} AND tenant = $2 AND id = $3",  # noqa: S608  constants
        as_of,
        tenant,
        conclusion,
    )
    return conclusion_of(row) if row is not None else None


async def list_conclusions(
    db: Connection, tenant: str, pair: tuple[str, str], window: Window
) -> Page[Conclusion]:
    """Return what (observer, observed) holds, by the time it was concluded."""
    where = f"{AS_OF} AND tenant = $2 AND observer = $3 AND observed = $4"
    rows = await db.fetch(
        f"SELECT {COLUMNS} FROM conclusion WHERE {where}"  # noqa: S608  constants
        f" ORDER BY created_at {window.direction}, id {window.direction}"
        " LIMIT $5 OFFSET $6",
        window.as_of,
        tenant,
        *pair,
        window.limit,
        window.offset,
    )
    total = await db.fetchval(
        f"SELECT count(*) FROM conclusion WHERE {where}",  # noqa: S608  constants
        window.as_of,
        tenant,
        *pair,
    )
    return Page([conclusion_of(row) for row in rows], total)


def conclusion_of(row: Row) -> Conclusion:
    """Read a conclusion from a row with ``COLUMNS``."""
    return Conclusion(
        id=row["id"],
        origin=row["origin"],
        observer=row["observer"],
        observed=row["observed"],
        session=row["session"],
        level=row["level"],
        content=row["content"],
        occurred_at=row["occurred_at"],
        created_at=row["created_at"],
        times_derived=row["times_derived"],
        sources=list(row["sources"]),
        generation=row["generation"],
    )
