"""Conclusions, one row for each peer that may see one, as they stand and stood."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import groupby

from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReinstated,
    ConclusionRetracted,
    ConclusionReworded,
    content_key,
)
from domain.recorded import Recorded
from domain.scope import SessionAddedToScope, SessionRemovedFromScope
from projections.audience import audiences, places_of, scopes_over
from projections.holdings import Holding, Holdings
from projections.intervals import Intervals, Values
from projections.ports import Connection
from projections.scope_memory import bring, take_away

_VALUES = {
    "origin": "text",
    "observer": "text",
    "observed": "text",
    "session": "text",
    "level": "text",
    "content": "text",
    "occurred_at": "timestamptz",
    "created_at": "timestamptz",
    "born": "bigint",
    "times_derived": "int",
    "sources": "jsonb",
    "generation": "int",
    "named": "boolean",
    "sessions": "jsonb",
}


class Conclusions:
    """The table ``conclusion``: one row for each state, conclusion and observer.

    ``origin`` is the id the conclusion was derived under. The row of the observed
    peer itself (or of the one observer it was made for, then ``named``) has that id;
    every other observer's row has one made of both. A conclusion drawn again counts
    once more for those who heard it; who hears it then for the first time gets it,
    in the words it was then put in.
    Retracted, its row ends, by the ``unit`` of the retraction; drawn again for who
    retracted it, it has a new one; reinstated, the row goes on under its id.
    ``born`` is the position of an id's first row: the order of equal ``created_at``.
    ``sessions`` are those in which all it rests on was said, "" standing for none.
    ``said`` is the :func:`digest_of` its words, by which they are found again.

    A scope holds what its sessions tell explicitly: rows of its own come and go with
    a session, and with what is concluded from one while it is there (RS 2.8).
    """

    name = "conclusions"
    version = 8
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
            said          text COLLATE "C" NOT NULL,
            occurred_at   timestamptz NOT NULL,
            created_at    timestamptz NOT NULL,
            born          bigint NOT NULL,
            times_derived integer NOT NULL,
            sources       text[] COLLATE "C" NOT NULL,
            generation    integer NOT NULL,
            named         boolean NOT NULL,
            sessions      text[] COLLATE "C" NOT NULL,
            words         tsvector NOT NULL,
            from_position bigint NOT NULL,
            to_position   bigint,
            unit          text COLLATE "C" NOT NULL DEFAULT '',
            PRIMARY KEY (tenant, id, from_position)
        );
        CREATE INDEX conclusion_origin
            ON conclusion (tenant, origin, id, from_position);
        CREATE INDEX conclusion_session ON conclusion (tenant, session)
            WHERE session IS NOT NULL;
    """
    indexes = """
        CREATE UNIQUE INDEX conclusion_current ON conclusion (tenant, id)
            WHERE to_position IS NULL;
        CREATE INDEX conclusion_then ON conclusion (tenant, observer, observed,
            created_at DESC, from_position DESC, id) INCLUDE (to_position);
        CREATE INDEX conclusion_age ON conclusion (tenant, created_at, born, id)
            WHERE to_position IS NULL;
        CREATE INDEX conclusion_sources ON conclusion USING gin (sources)
            WHERE to_position IS NULL AND sources <> '{}';
        CREATE INDEX conclusion_newest ON conclusion (tenant, observer, observed,
            created_at DESC, from_position DESC, id) WHERE to_position IS NULL;
        CREATE INDEX conclusion_often ON conclusion (tenant, observer, observed,
            times_derived DESC, created_at DESC, id) WHERE to_position IS NULL;
        CREATE INDEX conclusion_unit ON conclusion (tenant, unit) WHERE unit <> '';
        CREATE INDEX conclusion_words ON conclusion USING gin (words);
        CREATE INDEX conclusion_said ON conclusion (said) WHERE to_position IS NULL;
    """
    handles = (
        ConclusionDerived,
        ConclusionReinforced,
        ConclusionReworded,
        ConclusionRetracted,
        ConclusionReinstated,
        SessionAddedToScope,
        SessionRemovedFromScope,
    )

    def __init__(self) -> None:
        self._rows = Intervals(
            "conclusion",
            key={"tenant": "text", "id": "text"},
            values={**_VALUES, "said": "text"},
            stored={
                "sources": "ARRAY(SELECT jsonb_array_elements_text(g.sources))",
                "sessions": "ARRAY(SELECT jsonb_array_elements_text(g.sessions))",
                "words": "to_tsvector('english', g.content)",
            },
        )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        for moved, run in groupby(batch, _apart):
            if moved is SessionAddedToScope:
                await self._open(db, await bring(db, list(run)))
            elif moved is SessionRemovedFromScope:
                await take_away(db, list(run))
            elif moved is ConclusionReinstated:
                await self._reinstate(db, list(run))
            else:
                await self._conclude(db, list(run))

    async def _conclude(self, db: Connection, batch: Sequence[Recorded]) -> None:
        heard = await audiences(db, batch)
        scopes = await scopes_over(db, batch)
        holdings = await _load(db, batch)
        opened: list[Values] = []
        closed: list[tuple[str, str, str | None, int, str]] = []
        for recorded, others, over in zip(batch, heard, scopes, strict=True):
            rows: list[Values] = []
            match recorded.event:
                case ConclusionDerived() as event:
                    more = over if event.level == "explicit" else []
                    rows = holdings.derive(event, recorded, [*others, *more])
                case ConclusionReinforced() as event:
                    more = over if holdings.is_explicit(event) else []
                    rows = holdings.reinforce(event, recorded, [*others, *more])
                case ConclusionRetracted() as event:
                    holdings.retract(event, recorded.position)
                    place = (event.workspace, event.id, event.observer)
                    closed.append((*place, recorded.position, event.unit))
                case _:
                    continue
            opened.extend({**row, "from_position": recorded.position} for row in rows)
        await self._open(db, opened)
        if closed:
            await db.execute(_CLOSE, *map(list, zip(*closed, strict=True)))

    async def _reinstate(self, db: Connection, batch: Sequence[Recorded]) -> None:
        places = await places_of(db, batch)
        holdings = await _load(db, batch)
        opened: list[Values] = []
        for recorded, at in zip(batch, places, strict=True):
            if isinstance(event := recorded.event, ConclusionReinstated):
                rows = holdings.reinstate(event, recorded, at)
                opened += [{**e, "from_position": recorded.position} for e in rows]
        await self._open(db, opened)

    async def _open(self, db: Connection, rows: Sequence[Values]) -> None:
        told = [
            {**each, "said": digest_of(each["tenant"], each["content"])}
            for each in rows
        ]
        await self._rows.write(db, told)


def digest_of(tenant: str, content: str) -> str:
    """Return what words have in common that are the same conclusion (RS 2.5)."""
    return sha256(f"{tenant}\n{content_key(content)}".encode()).hexdigest()[:16]


def _apart(recorded: Recorded) -> type | None:
    """Tell what is folded apart from what is concluded and retracted before it.

    Sessions come into scopes and leave them; an id that was closed goes on.
    """
    event = recorded.event
    moves = (SessionAddedToScope, SessionRemovedFromScope, ConclusionReinstated)
    return type(event) if isinstance(event, moves) else None


# What is held anew after its retraction has another id or a later position.
_CLOSE = """
    UPDATE conclusion AS t SET to_position = e.position, unit = e.unit
    FROM (
        SELECT DISTINCT ON (t.tenant, t.id, t.from_position)
            t.tenant, t.id, t.from_position, g.position, g.unit
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])
            AS g(tenant, origin, observer, position, unit)
        JOIN conclusion AS t ON t.tenant = g.tenant AND t.origin = g.origin
            AND (g.observer IS NULL OR t.observer = g.observer)
            AND t.to_position IS NULL AND t.from_position < g.position
        ORDER BY t.tenant, t.id, t.from_position, g.position
    ) AS e
    WHERE t.tenant = e.tenant AND t.id = e.id AND t.from_position = e.from_position
"""


async def _load(db: Connection, batch: Sequence[Recorded]) -> Holdings:
    """Return the rows of what this batch changes, as they stood before it."""
    first: dict[tuple[str, str], int] = {}
    for recorded in batch:
        for name in ("id", "corrects"):
            origin = str(getattr(recorded.event, name, None) or "")
            first.setdefault((recorded.event.workspace, origin), recorded.position)
    for recorded in batch:
        if isinstance(recorded.event, ConclusionDerived):
            first.pop((recorded.event.workspace, recorded.event.id), None)
    holdings = Holdings()
    if first:
        tenants, origins = map(list, zip(*first, strict=True))
        found = await db.fetch(_LOAD, tenants, origins, list(first.values()))
        for row in sorted(found, key=lambda row: int(row["from_position"])):
            values: Values = {name: row[name] for name in _SENT}
            holdings.remember(
                Holding(values, row["is_open"], row["to_position"] or 0, row["unit"])
            )
    return holdings


_SENT = ("tenant", "id", *_VALUES)
_LOAD = """
    SELECT DISTINCT ON (t.tenant, t.id) t.tenant, t.id, t.origin, t.observer,
        t.observed, t.session, t.level, t.content, t.occurred_at, t.created_at,
        t.born, t.times_derived, to_jsonb(t.sources) AS sources, t.generation, t.named,
        to_jsonb(t.sessions) AS sessions,
        t.from_position, t.to_position, t.unit,
        t.to_position IS NULL OR t.to_position >= g.position AS is_open
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS g(tenant, origin, position)
    JOIN conclusion AS t ON t.tenant = g.tenant AND t.origin = g.origin
        AND t.from_position < g.position
    ORDER BY t.tenant, t.id, t.from_position DESC
"""
