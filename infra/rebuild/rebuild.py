"""Folds views anew beside a running server, and puts them in place of the live ones."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import asyncpg

from domain.event import tag_of
from domain.recorded import Recorded
from infra.postgres.checkpoints import Checkpoint, move_checkpoints
from infra.postgres.log import PostgresLog
from infra.postgres.slices import Slice
from infra.postgres.views import (
    LIVE,
    analyze_views,
    connect_views,
    make_indexes,
    make_schema,
)
from infra.rebuild.catch_up import catch_up
from infra.rebuild.crew import Crew, Hands
from infra.rebuild.plan import Plan, make_plan
from infra.rebuild.report import Difference, Progress, RebuildUnderWay, Report
from infra.rebuild.shadow import (
    FORMER,
    SHADOW,
    Lane,
    add_lanes,
    connect_shadow,
    is_done,
    lanes_of,
    note_done,
    open_shadow,
)
from infra.rebuild.stages import (
    BY_SHARD,
    BY_VIEW,
    count_events,
    cut_lanes,
)
from infra.rebuild.swap import goals, swap
from infra.rebuild.verify import find_differences
from projections.erasable import ENDS
from projections.projection import Projection, Recounted, unwrapped

_TURN: Final = 7700103
"""Whoever holds this lock rebuilds."""

_CLOSE: Final = 500
"""Events the shadow may be behind when writers are asked to wait."""

_ROUNDS: Final = 20
"""Rounds of catching up; then writers wait for the rest."""

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
    """Be the only rebuild; a killed one's turn ends with its connection."""
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _TURN):
            raise RebuildUnderWay("another rebuild of these views is under way")
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
        self._crew = crew
        self._told = told
        self._started = time.monotonic()
        self._stages: dict[str, float] = {}

    async def all(self, plan: Plan, *, fresh: bool) -> Report:
        connection = await connect_shadow(self._dsn, plan)
        try:
            plan = await open_shadow(connection, plan, self._projections, fresh=fresh)
            resumed = await self._fold(connection, plan)
            await self._index(connection)
            with self._stage("analyse"):
                await analyze_views(connection, SHADOW)
            with self._stage("catch up and verify"):
                differences = await self._catch_up(connection, plan)
            with self._stage("swap"):
                await _make_room(connection)
                swapped = await swap(
                    connection, self._log.slices, plan, self._projections
                )
            with self._stage("clear"):
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
            stages=self._stages,
            differences=differences,
        )

    async def _fold(self, connection: asyncpg.Connection, plan: Plan) -> int:
        """Fold through the plan's end; return what an earlier run had folded."""
        if not await is_done(connection, "lanes"):
            async with connection.transaction():
                await add_lanes(connection, await self._lanes(connection, plan))
                await note_done(connection, "lanes")
        lanes = {
            stage: await lanes_of(connection, stage) for stage in (BY_SHARD, BY_VIEW)
        }
        every = [lane.position for stage in lanes.values() for lane in stage]
        if not await is_done(connection, "folded"):
            await self._run_lanes(connection, plan, BY_SHARD, lanes[BY_SHARD])
            await asyncio.gather(
                self._run_lanes(connection, plan, BY_VIEW, lanes[BY_VIEW]),
                self._recount(plan),
            )
            async with connection.transaction():
                moves = {each.name: 0 for each in self._projections}
                end = Checkpoint(plan.through, plan.event)
                await move_checkpoints(connection, moves, end)
                await note_done(connection, "folded")
        return sum(every) // len(every) if every else 0

    async def _lanes(self, connection: asyncpg.Connection, plan: Plan) -> list[Lane]:
        rows = await connection.fetch(
            f"SELECT projection, tables FROM {SHADOW}.checkpoint"  # noqa: S608  a constant
        )
        owned = {row["projection"]: row["tables"] for row in rows}
        events = await count_events(connection, plan.through)
        return cut_lanes(self._projections, owned, events)

    async def _run_lanes(
        self,
        connection: asyncpg.Connection,
        plan: Plan,
        stage: str,
        lanes: Sequence[Lane],
    ) -> None:
        if not lanes:
            return
        begun = sum(lane.position for lane in lanes) // len(lanes)
        with self._stage(stage) as since:

            def hear(position: int) -> None:
                seconds = time.monotonic() - since
                self._told(Progress(stage, position, plan.through, seconds, begun))

            await self._crew.run(plan, lanes, hear)
            hear(plan.through)
            if stage == BY_SHARD:
                await analyze_views(connection, SHADOW)

    async def _recount(self, plan: Plan) -> None:
        """Count what is counted at once, on a connection of its own."""
        for each in self._projections:
            inner = unwrapped(each)
            if not isinstance(inner, Recounted):
                continue
            connection = await connect_shadow(self._dsn, plan)
            try:
                if await is_done(connection, f"recount {each.name}"):
                    continue
                with self._stage(f"count {each.name}"):
                    async with connection.transaction():
                        await inner.recount(connection, await self._ends(plan))
                        await note_done(connection, f"recount {each.name}")
            finally:
                connection.terminate()

    async def _ends(self, plan: Plan) -> list[Recorded]:
        found: list[Recorded] = []
        wanted = Slice(tuple(tag_of(event) for event in ENDS))
        position = 0
        while position < plan.through:
            batch, position = await self._log.slices.read(
                wanted, after=position, through=plan.through
            )
            found.extend(batch)
        return found

    async def _index(self, connection: asyncpg.Connection) -> None:
        """Make what only readers need, a projection's indexes in one transaction."""
        await connection.execute("SET maintenance_work_mem = '256MB'")
        with self._stage("index") as since:
            for number, each in enumerate(self._projections):
                if not await is_done(connection, f"index {each.name}"):
                    async with connection.transaction():
                        await make_indexes(connection, [each])
                        await note_done(connection, f"index {each.name}")
                gone = time.monotonic() - since
                count = len(self._projections)
                self._told(Progress("index", number + 1, count, gone))

    async def _catch_up(
        self, connection: asyncpg.Connection, plan: Plan
    ) -> tuple[Difference, ...]:
        """Follow the live views; once at the same place, compare with them."""
        if plan.diverged:
            return ()
        await self._come_close(connection)
        async with connection.transaction(isolation="repeatable_read"):
            await self._follow(connection)
            differences = await find_differences(connection)
        await self._come_close(connection)
        return differences

    async def _come_close(self, connection: asyncpg.Connection) -> None:
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

    @contextmanager
    def _stage(self, name: str) -> Iterator[float]:
        since = time.monotonic()
        yield since
        self._stages[name] = round(time.monotonic() - since, 3)


async def _make_room(connection: asyncpg.Connection) -> None:
    await connection.execute(f"DROP SCHEMA IF EXISTS {FORMER} CASCADE")
    await connection.execute(f"CREATE SCHEMA {FORMER}")


async def _clear(connection: asyncpg.Connection) -> None:
    """Drop the former tables; whoever reads them still, keeps them a while longer."""
    try:
        await connection.execute("SET lock_timeout = '5s'")
        await connection.execute(f"DROP SCHEMA IF EXISTS {FORMER} CASCADE")
        await connection.execute(f"DROP SCHEMA IF EXISTS {SHADOW} CASCADE")
    except asyncpg.LockNotAvailableError:
        pass  # the next rebuild drops them
