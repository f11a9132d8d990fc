"""Folds views again, beside the live ones, and compares them at the same position.

All of it happens in one transaction that is rolled back: nothing is left behind,
whatever ends it, and both folds are looked at in the one snapshot it was begun with,
so a server may go on writing. A live table is touched only to be compared.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

import asyncpg
import msgspec

from domain.recorded import Recorded
from infra.code_hash import code_of
from infra.postgres.views import (
    LIVE,
    analyze_views,
    connect_views,
    make_schema,
    make_tables,
    shape_of,
)
from infra.proof.comparison import (
    EVERY,
    Difference,
    compare_rows,
    differences_of,
    tables_of,
)
from infra.proof.erasing import Erasing, erasing_after
from infra.proof.sample import (
    Log,
    Session,
    draw_sessions,
    events_of,
    is_of_sessions,
    rows_of,
)
from projections.projection import Projection

PAGE: Final = 2_000
ANALYZED: Final = 1_000
GROWN: Final = 4
"""At so many events, and whenever there are so many times more, plans are remade."""

_STANDS: Final = f"SELECT projection, position, shape, code FROM {LIVE}.checkpoint"  # noqa: S608  a constant

_MADE: Final = """
SELECT oid::bigint AS oid, relname::text AS name FROM pg_class
WHERE relnamespace = to_regnamespace($1) AND relkind = 'r'
"""

# By name, not by a look into the catalogue, which is the snapshot's.
_STILL: Final = """
SELECT bool_and(to_regclass(format('%I.%I', $1::text, g.name))::oid::bigint
    IS NOT DISTINCT FROM g.oid)
FROM unnest($2::text[], $3::bigint[]) AS g (name, oid)
"""

_REPLACED: Final = "the views were rebuilt meanwhile: verify again"


class ViewsUnready(Exception):  # noqa: N818  says what was found
    """The live views are not those this Palimpsest would fold, or went meanwhile."""


class Refolded(msgspec.Struct, frozen=True, kw_only=True):
    """What was folded again, and where it differs from what is shown.

    ``sessions`` is None when everything was. ``not_compared`` are the tables whose
    rows follow from more than a session's own events. ``erasing`` are the workspaces
    where words are being erased: of ``sessions`` those are left out, of everything
    the rows of these workspaces.
    """

    position: int
    events: int
    sessions: list[Session] | None
    tables: list[str]
    not_compared: list[str]
    differences: list[Difference]
    erasing: list[str] = []


class Refold:
    """A fold of its own, up to where the live views stood when it was opened."""

    def __init__(
        self,
        dsn: str,
        db: asyncpg.Connection,
        schema: str,
        projections: Sequence[Projection],
        stands: dict[str, int],
    ) -> None:
        self._dsn = dsn
        self._db = db
        self._schema = schema
        self._projections = projections
        self._stands = stands
        self._events = 0
        self.position = max(stands.values(), default=0)

    @property
    def stands(self) -> set[int]:
        """The positions the live views are at."""
        return set(self._stands.values())

    async def sample(self, log: Log, seed: str, count: int) -> Refolded:
        """Fold sessions picked by lot and compare what is shown of them."""
        sessions = await draw_sessions(self._db, seed, self.position, count)
        events = await events_of(self._db, log, sessions)
        for start in range(0, len(events), PAGE):
            await self._fold(events[start : start + PAGE])
        erasing = await self._erasing()
        drawn, sessions = sessions, list(filter(erasing.spares, sessions))
        tables = await tables_of(self._db, self._schema)
        live = set(await tables_of(self._db, LIVE))
        compared = [each for each in sorted({*tables, *live}) if is_of_sessions(each)]
        found: list[Difference] = []
        for table in compared:
            if table in tables and table in live:
                found += await compare_rows(
                    self._db, (LIVE, self._schema), table, rows_of(table, sessions)
                )
            elif table in tables:
                found.append(Difference(table=table, only="folded"))
        return Refolded(
            position=self.position,
            events=len(events),
            sessions=sessions,
            tables=compared,
            not_compared=sorted(live - set(compared)),
            differences=found,
            erasing=sorted({each.workspace for each in {*drawn} - {*sessions}}),
        )

    async def everything(
        self, log: Log, progress: Callable[[int], None] = lambda _: None
    ) -> Refolded:
        """Fold the whole log and compare every row of every table."""
        position, analyze_at = 0, ANALYZED
        while position < self.position:
            limit = min(PAGE, self.position - position)
            page = await log.read_log(after=position, limit=limit)
            if not page:
                raise ViewsUnready(f"the log has nothing after position {position}")
            await self._fold(page)
            position = page[-1].position
            if position >= analyze_at:
                await analyze_views(self._db, self._schema)
                analyze_at = position * GROWN
            progress(position)
        erasing = await self._erasing()
        rows = erasing.elsewhere if erasing.touched else EVERY
        found = await differences_of(self._db, LIVE, self._schema, rows)
        return Refolded(
            position=position,
            events=position,
            sessions=None,
            tables=await tables_of(self._db, LIVE),
            not_compared=[],
            differences=found,
            erasing=erasing.touched,
        )

    async def _erasing(self) -> Erasing:
        return await erasing_after(self._dsn, min(self._stands.values(), default=0))

    async def _fold(self, page: Sequence[Recorded]) -> None:
        for projection in self._projections:
            through = self._stands[projection.name]
            share = [
                each
                for each in page
                if each.position <= through
                and isinstance(each.event, projection.handles)
            ]
            if share:
                await projection.apply(self._db, share)


@asynccontextmanager
async def open_refold(
    dsn: str, projections: Sequence[Projection]
) -> AsyncIterator[Refold]:
    """Make tables for a fold that nobody else sees and that are gone at the end.

    Raises:
        ViewsUnready: the live views are of another version, or were replaced
            meanwhile; whatever was found then means nothing.
    """
    schema = f"refold_{uuid4().hex[:12]}"
    db = await connect_views(dsn, schema)
    try:
        await db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        stands = await _stands(dsn, await db.fetchval("SELECT pg_export_snapshot()"))
        stands.check(projections)
        await make_schema(db, schema)
        await make_tables(db, projections)
        yield Refold(dsn, db, schema, projections, stands.positions)
        made = stands.made
        if not await db.fetchval(_STILL, LIVE, list(made), list(made.values())):
            raise ViewsUnready(_REPLACED)
    except asyncpg.UndefinedTableError as error:
        raise ViewsUnready(_REPLACED) from error
    finally:
        db.terminate()


class _Stands(msgspec.Struct, frozen=True):
    """Where live views stand, of which shape and code, and which tables they are."""

    positions: dict[str, int]
    made_by: dict[str, tuple[str, str]]
    made: dict[str, int]

    def check(self, projections: Sequence[Projection]) -> None:
        other = [
            each.name
            for each in projections
            if self.made_by.get(each.name) != (shape_of(each), code_of(each))
        ]
        if other:
            raise ViewsUnready(
                f"views that other code folded: {', '.join(other)}; start the server"
                " once, or rebuild them"
            )


async def _stands(dsn: str, snapshot: str) -> _Stands:
    """Look at the live views in that snapshot, and let go of their tables.

    Held on to until the end, they could not be replaced by a rebuild for minutes.
    """
    db = await asyncpg.connect(dsn)
    try:
        async with db.transaction(isolation="repeatable_read", readonly=True):
            await db.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            rows = await db.fetch(_STANDS)
            made = await db.fetch(_MADE, LIVE)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
        raise ViewsUnready(
            "no views were made yet by this Palimpsest: start the server once"
        ) from error
    finally:
        await db.close()
    if not rows:
        raise ViewsUnready(_REPLACED)
    return _Stands(
        {row["projection"]: row["position"] for row in rows},
        {row["projection"]: (row["shape"], row["code"]) for row in rows},
        {row["name"]: row["oid"] for row in made},
    )
