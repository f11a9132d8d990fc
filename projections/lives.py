"""Lives of conclusions: what happened to each, and what it was built on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReinstated,
    ConclusionRetracted,
    ConclusionReworded,
)
from domain.event import Engine
from domain.recorded import Recorded
from projections.as_of import NOW
from projections.columns import as_json, as_text
from projections.ports import Connection, Row


class Lives:
    """The tables ``life``, a row for each event of a conclusion, and ``premise``.

    ``origin`` and ``conclusion`` are ids it was derived under; ``observer`` is for
    whom something happened, None for all who heard. ``derivation`` is the command
    that drew it, and drew it again; ``engine`` is there unless a derivation of
    messages tells of it: for a client's own conclusion and for what was inferred, in
    the dream that ``run`` names. A row of ``premise`` is a conclusion and one it was
    built on, under the id given.
    """

    name = "lives"
    version = 2
    tables = """
        CREATE TABLE life (
            tenant        text COLLATE "C" NOT NULL,
            origin        text COLLATE "C" NOT NULL,
            position      bigint NOT NULL,
            recorded_at   timestamptz NOT NULL,
            what          text COLLATE "C" NOT NULL,
            session       text COLLATE "C",
            observer      text COLLATE "C",
            derivation    text COLLATE "C",
            engine        jsonb,
            evidence      integer NOT NULL,
            reason        text,
            actor         text,
            unit          text COLLATE "C",
            because       text COLLATE "C",
            superseded_by text COLLATE "C",
            run           text COLLATE "C",
            PRIMARY KEY (tenant, origin, position)
        );
        CREATE TABLE premise (
            tenant     text COLLATE "C" NOT NULL,
            conclusion text COLLATE "C" NOT NULL,
            source     text COLLATE "C" NOT NULL,
            session    text COLLATE "C",
            position   bigint NOT NULL,
            PRIMARY KEY (tenant, conclusion, source)
        );
    """
    indexes = """
        CREATE INDEX life_session ON life (tenant, session) WHERE session IS NOT NULL;
        CREATE INDEX premise_source ON premise (tenant, source);
    """
    handles = (
        ConclusionDerived,
        ConclusionReinforced,
        ConclusionReworded,
        ConclusionRetracted,
        ConclusionReinstated,
    )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        lived = [_row(recorded) for recorded in batch]
        if lived:
            await db.execute(_INSERT, *map(list, zip(*lived, strict=True)))
        built = [
            (event.workspace, event.id, as_text(s), event.session, recorded.position)
            for recorded in batch
            if isinstance(event := recorded.event, ConclusionDerived)
            for s in event.sources
        ]
        if built:
            await db.execute(_BUILT, *map(list, zip(*built, strict=True)))


def _row(recorded: Recorded) -> tuple[Any, ...]:
    match event := recorded.event:
        case ConclusionDerived():
            apart = event.derivation and event.level == "explicit"
            engine = None if apart else as_json(event.engine)
            told = _drawn("derived", event, engine, recorded)
            observer = event.observer
        case ConclusionReinforced():
            engine = None if event.derivation else as_json(event.engine)
            told = _drawn("reinforced", event, engine, recorded)
            observer = None
        case ConclusionRetracted():
            what = "superseded" if event.superseded_by else "retracted"
            told = (what, None, None, 0, as_text(event.reason), as_text(event.actor))
            told += (event.unit or None, event.because, event.superseded_by)
            observer = event.observer
        case ConclusionReinstated():
            told = ("reinstated", None, None, 0)
            told += (as_text(event.reason), as_text(event.actor))
            told += (event.unit, None, None)
            observer = event.observer
        case _:
            raise AssertionError(event)
    place = (event.workspace, event.id, recorded.position, recorded.recorded_at)
    run = getattr(event, "run", "") or None
    return (*place, event.session, observer, *told, run)


def _drawn(
    what: str,
    event: ConclusionDerived | ConclusionReinforced,
    engine: str | None,
    recorded: Recorded,
) -> tuple[Any, ...]:
    by = (event.derivation or None, engine, len(event.evidence))
    return (what, *by, None, as_text(recorded.cause.actor), None, None, None)


_INSERT = """
    INSERT INTO life (tenant, origin, position, recorded_at, session, observer, what,
        derivation, engine, evidence, reason, actor, unit, because, superseded_by, run)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[],
        $5::text[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::int[],
        $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[])
    ON CONFLICT DO NOTHING
"""

_BUILT = """
    INSERT INTO premise (tenant, conclusion, source, session, position)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
    ON CONFLICT DO NOTHING
"""


class Lived(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a conclusion; ``evidence`` counts what it cited.

    ``note`` is what whoever retracted it said of that in their own words.
    """

    origin: str
    position: int
    recorded_at: datetime
    what: str
    observer: str | None
    derivation: str | None
    engine: Engine | None
    evidence: int
    reason: str | None
    actor: str | None
    unit: str | None
    because: str | None
    superseded_by: str | None
    run: str | None
    note: str | None = None


async def get_life(
    db: Connection, tenant: str, origin: str, limit: int, as_of: int = NOW
) -> list[Lived]:
    """Return what happened to a conclusion, the newest ``limit`` of it, in order."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS}, (SELECT r.note FROM retraction AS r"  # noqa: S608  constants
        " WHERE r.tenant = t.tenant AND r.unit = t.unit AND t.what <> 'reinstated')"
        " AS note FROM life AS t WHERE t.tenant = $1 AND t.origin = $2"
        " AND t.position <= $3 ORDER BY t.position DESC LIMIT $4",
        tenant,
        origin,
        as_of,
        limit,
    )
    return [_lived(row) for row in reversed(rows)]


async def get_births(
    db: Connection, tenant: str, origins: Sequence[str]
) -> list[Lived]:
    """Return how each of these conclusions came to be, in the order they did."""
    rows = await db.fetch(
        f"SELECT l.*, NULL AS note FROM unnest($2::text[]) AS g(origin)"  # noqa: S608  constants
        f" CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM life AS t WHERE t.tenant = $1"
        " AND t.origin = g.origin ORDER BY t.position LIMIT 1) AS l"
        " WHERE l.what = 'derived' ORDER BY l.position",
        tenant,
        list(origins),
    )
    return [_lived(row) for row in rows]


_COLUMNS = (
    "t.origin, t.position, t.recorded_at, t.what, t.observer, t.derivation, t.engine,"
    " t.evidence, t.reason, t.actor, t.unit, t.because, t.superseded_by, t.run"
)


def _lived(row: Row) -> Lived:
    engine = row["engine"]
    values = {name: row[name] for name in Lived.__struct_fields__ if name != "engine"}
    return Lived(**values, engine=engine and msgspec.json.decode(engine, type=Engine))
