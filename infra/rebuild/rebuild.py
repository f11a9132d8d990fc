"""Folds views anew beside a running server, and puts them in place of the live ones."""

import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import asyncpg

from infra.postgres.log import PostgresLog
from infra.postgres.views import (
    LIVE,
    analyze_views,
    connect_views,
    make_schema,
)
from infra.rebuild.abandoned import TURN, drop_former
from infra.rebuild.catch_up import catch_up
from infra.rebuild.crew import Crew, Hands
from infra.rebuild.folding import Clock, Folding
from infra.rebuild.plan import Plan, make_plan
from infra.rebuild.report import Difference, Progress, RebuildUnderWay, Report
from infra.rebuild.shadow import (
    FORMER,
    SHADOW,
    connect_shadow,
    leave_alone,
    open_shadow,
)
from infra.rebuild.swap import goals, swap
from infra.rebuild.verify import find_differences
from projections.projection import Projection

_CLOSE: Final = 500
"""Events the shadow may be behind when writers are asked to wait."""

_ROUNDS: Final = 20
"""Rounds of catching up; then writers wait for the rest."""

_PATIENCE: Final = "2s"
"""How long somebody else may have the turn before that is another rebuild."""

Listener = Callable[[Progress], None]


async def rebuild(
    dsn: str,
    log: PostgresLog,
    projections: Sequence[Projection],
    names: Collection[str] | None = None,
    *,
    hands: Hands | None = None,
    fresh: bool = False,
    told: Listener = lambda _: None,
) -> Report:
    """Rebuild the projections of these names, or all, and what must come with them.

    ``projections`` are all there are. Readers read and writers write meanwhile: until
    the exchange of the tables at the end the live views stay as they are, also if this
    fails or is killed. A later call then goes on where it was, unless it is ``fresh``
    or the code has changed.

    Raises:
        RebuildFailed: events cannot be folded.
        RebuildUnderWay: another rebuild is.
        NoSuchProjection, ViewsNewer
    """
    async with _turn(dsn):
        live = await connect_views(dsn)
        try:
            await make_schema(live, LIVE)
            plan = await make_plan(live, log, projections, names)
        finally:
            await live.close()
        chosen = [each for each in projections if each.name in plan.chosen]
        run = _Run(dsn, log, chosen, Crew(dsn, log, chosen, hands), told)
        return await run.all(plan, fresh=fresh)


@asynccontextmanager
async def _turn(dsn: str) -> AsyncIterator[None]:
    """Be the only rebuild; a killed one's turn ends with its connection.

    A server that looks for what was abandoned has the turn for a moment only.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"SET lock_timeout = '{_PATIENCE}'")
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", TURN)
        except asyncpg.LockNotAvailableError as error:
            raise RebuildUnderWay(
                "another rebuild of these views is under way"
            ) from error
        yield
    finally:
        connection.terminate()


class _Run:
    """One run of a rebuild, stage by stage."""

    def __init__(
        self,
        dsn: str,
        log: PostgresLog,
        projections: Sequence[Projection],
        crew: Crew,
        told: Listener,
    ) -> None:
        self._dsn = dsn
        self._log = log
        self._projections = projections
        self._clock = Clock(told)
        self._folding = Folding(dsn, log, projections, crew, self._clock)
        self._started = time.monotonic()

    async def all(self, plan: Plan, *, fresh: bool) -> Report:
        connection = await connect_shadow(self._dsn, plan)
        try:
            plan = await open_shadow(connection, plan, self._projections, fresh=fresh)
            resumed = await self._folding.run(connection, plan)
            with self._clock.stage("analyse"):
                await analyze_views(connection, SHADOW)
            with self._clock.stage("catch up and verify"):
                differences = await self._catch_up(connection, plan)
            with self._clock.stage("swap"):
                await leave_alone(connection, until_told=False)
                await _make_room(connection)
                swapped = await swap(
                    connection,
                    self._log.slices,
                    plan,
                    self._projections,
                    partial(self._come_close, connection, plan),
                )
            with self._clock.stage("clear"):
                await _clear(connection)
        finally:
            connection.terminate()
        return Report(
            events=plan.through,
            resumed=resumed,
            seconds=time.monotonic() - self._started,
            held_ms=swapped.held_ms,
            swap_ms=swapped.swap_ms,
            attempts=swapped.attempts,
            projections=plan.chosen,
            added=plan.added,
            stages=self._clock.stages,
            differences=differences,
        )

    async def _catch_up(
        self, connection: asyncpg.Connection, plan: Plan
    ) -> tuple[Difference, ...]:
        """Follow the live views; once at the same place, compare with them."""
        if plan.diverged:
            return ()
        await self._come_close(connection, plan)
        async with connection.transaction(isolation="repeatable_read"):
            await self._follow(connection)
            differences = await find_differences(connection)
        await self._come_close(connection, plan)
        return differences

    async def _come_close(self, connection: asyncpg.Connection, plan: Plan) -> None:
        if plan.diverged:
            return
        for _ in range(_ROUNDS):
            if await self._follow(connection) <= _CLOSE:
                return

    async def _follow(self, connection: asyncpg.Connection) -> int:
        """Fold to where the live views stand; return how many events that was."""
        rows = await connection.fetch(
            f"SELECT projection, position FROM {LIVE}.checkpoint"  # noqa: S608  a constant
        )
        live = {row["projection"]: row["position"] for row in rows}
        at = await goals(connection, self._projections, {})
        to = await goals(connection, self._projections, live)
        await catch_up(connection, self._log.slices, self._projections, to)
        return max(to[name] - at[name] for name in to)


async def _make_room(connection: asyncpg.Connection) -> None:
    await drop_former(connection)
    await connection.execute(f"CREATE SCHEMA {FORMER}")


async def _clear(connection: asyncpg.Connection) -> None:
    """Drop the former tables; whoever reads them still, keeps them a while longer."""
    try:
        await connection.execute("SET lock_timeout = '5s'")
        await drop_former(connection)
        await connection.execute(f"DROP SCHEMA IF EXISTS {SHADOW} CASCADE")
    except asyncpg.LockNotAvailableError:
        pass  # the next rebuild drops them
