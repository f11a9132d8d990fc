"""Fills the shadow from the log: lanes, what is counted at once, and indexes last."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import asyncpg

from domain.event import tag_of
from domain.recorded import Recorded
from infra.postgres.checkpoints import Checkpoint, move_checkpoints
from infra.postgres.log import PostgresLog
from infra.postgres.slices import Slice
from infra.postgres.views import analyze_views, make_indexes
from infra.rebuild.aside import put_aside, put_back
from infra.rebuild.crew import Crew
from infra.rebuild.plan import Plan
from infra.rebuild.report import Progress
from infra.rebuild.shadow import (
    SHADOW,
    Lane,
    add_lanes,
    connect_shadow,
    is_done,
    lanes_of,
    note_done,
)
from infra.rebuild.stages import (
    BY_SHARD,
    BY_VIEW,
    count_events,
    cut_lanes,
)
from projections.erasable import ENDS
from projections.projection import Projection, Recounted, commutes, unwrapped

_MEMORY: Final = "SET maintenance_work_mem = '256MB'; SET work_mem = '256MB'"
"""What sorting an index and counting words may take, each."""


class Clock:
    """Tells how far a rebuild is, and keeps how long its stages took."""

    def __init__(self, told: Callable[[Progress], None]) -> None:
        self.told = told
        self.stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[float]:
        """Time a stage; yields when it began."""
        since = time.monotonic()
        yield since
        self.stages[name] = round(time.monotonic() - since, 3)


class Folding:
    """Folds the chosen projections into the shadow, through the end of the plan.

    First what may be folded by shards, for the others read it. Then side by side: the
    others, view by view; what is counted at once; and the indexes of the first.
    """

    def __init__(
        self,
        dsn: str,
        log: PostgresLog,
        projections: Sequence[Projection],
        crew: Crew,
        clock: Clock,
    ) -> None:
        self._dsn = dsn
        self._log = log
        self._projections = projections
        self._crew = crew
        self._clock = clock

    async def run(self, connection: asyncpg.Connection, plan: Plan) -> int:
        """Fold everything there is to fold; return what an earlier run had folded."""
        await self._prepare(connection, plan)
        by_shard = await lanes_of(connection, BY_SHARD)
        by_view = await lanes_of(connection, BY_VIEW)
        positions = [lane.position for lane in (*by_shard, *by_view)]
        await self._run_lanes(plan, BY_SHARD, by_shard)
        await connection.execute(_MEMORY)
        await put_back(connection)
        await analyze_views(connection, SHADOW)
        first = [each for each in self._projections if commutes(each)]
        await _side_by_side(
            self._run_lanes(plan, BY_VIEW, by_view),
            self._recount(plan),
            self._index(connection, "index the first", first),
        )
        await self._index(connection, "index", self._projections)
        if not await is_done(connection, "folded"):
            async with connection.transaction():
                moves = {each.name: 0 for each in self._projections}
                end = Checkpoint(plan.through, plan.event)
                await move_checkpoints(connection, moves, end)
                await note_done(connection, "folded")
        return sum(positions) // len(positions) if positions else 0

    async def _prepare(self, connection: asyncpg.Connection, plan: Plan) -> None:
        """Cut the lanes, and put aside the indexes that nothing will look up by."""
        if await is_done(connection, "lanes"):
            return
        rows = await connection.fetch(
            f"SELECT projection, tables FROM {SHADOW}.checkpoint"  # noqa: S608  a constant
        )
        owned = {row["projection"]: row["tables"] for row in rows}
        events = await count_events(connection, plan.through)
        async with connection.transaction():
            await put_aside(connection, self._projections)
            await add_lanes(connection, cut_lanes(self._projections, owned, events))
            await note_done(connection, "lanes")

    async def _run_lanes(self, plan: Plan, stage: str, lanes: Sequence[Lane]) -> None:
        if not lanes:
            return
        begun = sum(lane.position for lane in lanes) // len(lanes)
        with self._clock.stage(stage) as since:

            def hear(position: int) -> None:
                seconds = time.monotonic() - since
                told = Progress(stage, position, plan.through, seconds, begun)
                self._clock.told(told)

            await self._crew.run(plan, lanes, hear)
            hear(plan.through)

    async def _recount(self, plan: Plan) -> None:
        """Count what is counted at once, on a connection of its own."""
        connection = await connect_shadow(self._dsn, plan)
        try:
            await connection.execute(_MEMORY)
            await connection.execute("SET enable_seqscan = on")  # all rows are read
            for each in self._projections:
                inner, step = unwrapped(each), f"count {each.name}"
                if not isinstance(inner, Recounted) or await is_done(connection, step):
                    continue
                with self._clock.stage(step):
                    async with connection.transaction():
                        await inner.recount(connection, await self._ends(plan))
                        await note_done(connection, step)
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

    async def _index(
        self,
        connection: asyncpg.Connection,
        stage: str,
        projections: Sequence[Projection],
    ) -> None:
        """Make what only readers need, a projection's indexes in one transaction."""
        with self._clock.stage(stage) as since:
            for number, each in enumerate(projections):
                if not await is_done(connection, f"index {each.name}"):
                    async with connection.transaction():
                        await make_indexes(connection, [each])
                        await note_done(connection, f"index {each.name}")
                gone = time.monotonic() - since
                self._clock.told(Progress(stage, number + 1, len(projections), gone))


async def _side_by_side(*work: Coroutine[Any, Any, None]) -> None:
    """Do all of it at once; what fails ends the rest."""
    running = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*running)
    finally:
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
