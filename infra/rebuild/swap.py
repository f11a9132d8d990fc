"""Puts what was folded anew in the place of the live views, all of it or nothing.

Writers of the live tables are kept out first, so that the shadow can be brought to
exactly where the live views stand; readers only for the exchange of the tables itself.
The table of checkpoints stays: a projector that waited for it goes on in the new tables
from the place it knows.
"""

from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Final

import asyncpg
import msgspec
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random,
)

from infra.postgres.checkpoints import Checkpoint, load_checkpoints
from infra.postgres.slices import Slices
from infra.postgres.views import LIVE
from infra.rebuild.catch_up import catch_up
from infra.rebuild.plan import Plan
from infra.rebuild.shadow import FORMER, NOTES, SHADOW
from projections.projection import Projection

READERS_WAIT: Final = 40
"""Milliseconds readers may have to wait because somebody else reads for longer."""

WRITERS_WAIT: Final = (50, 2_000)
"""Milliseconds writers may have to wait: at first, and at most; doubled in between.

An autovacuum gives way only to who waits a second for it.
"""

PATIENCE: Final = 300.0
"""Seconds to try for a moment in which nobody reads or writes."""

_BUSY: Final = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)


class Swapped(msgspec.Struct, frozen=True):
    """How long writes and reads waited, and at which attempt it went through."""

    held_ms: float
    swap_ms: float
    attempts: int


async def swap(
    connection: asyncpg.Connection,
    log: Slices,
    plan: Plan,
    projections: Sequence[Projection],
    come_close: Callable[[], Awaitable[None]],
) -> Swapped:
    """Exchange the tables of the projections in one short transaction.

    After an attempt in vain it comes close again, for writers wait only for what is
    left to fold.

    Raises:
        asyncpg.LockNotAvailableError: for minutes there was no moment for it.
    """
    again = AsyncRetrying(
        retry=retry_if_exception_type(_BUSY),
        wait=wait_random(0.02, 0.2),
        stop=stop_after_delay(PATIENCE),
        reraise=True,
    )
    async for attempt in again:
        with attempt:
            number = attempt.retry_state.attempt_number
            if number > 1:
                await come_close()
            bound = min(WRITERS_WAIT[0] << min(number, 10), WRITERS_WAIT[1])
            return await _exchange(connection, log, plan, projections, number, bound)
    raise AssertionError("unreachable")


async def _exchange(
    connection: asyncpg.Connection,
    log: Slices,
    plan: Plan,
    projections: Sequence[Projection],
    number: int,
    bound: int,
) -> Swapped:
    old = await _live_tables(connection, plan)
    new = await _shadow_tables(connection)
    begun = monotonic()
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = {bound}")
        await _lock(connection, old, "SHARE ROW EXCLUSIVE")
        await _reach_live(connection, log, plan, projections)
        await connection.execute(f"SET LOCAL lock_timeout = {READERS_WAIT}")
        await _lock(connection, old, "ACCESS EXCLUSIVE")
        shut = monotonic()
        await connection.execute(
            ";".join(
                [f'ALTER TABLE {LIVE}."{name}" SET SCHEMA {FORMER}' for name in old]
                + [f'ALTER TABLE {SHADOW}."{name}" SET SCHEMA {LIVE}' for name in new]
            )
        )
        await _hand_over(connection, plan)
    done = monotonic()
    return Swapped((done - begun) * 1000, (done - shut) * 1000, number)


async def _lock(
    connection: asyncpg.Connection, tables: Sequence[str], mode: str
) -> None:
    if tables:
        named = ", ".join(f'{LIVE}."{name}"' for name in tables)
        await connection.execute(f"LOCK TABLE {named} IN {mode} MODE")


async def _reach_live(
    connection: asyncpg.Connection,
    log: Slices,
    plan: Plan,
    projections: Sequence[Projection],
) -> None:
    """Fold what the live views had folded more; they stand still meanwhile."""
    rows = await connection.fetch(
        f"SELECT projection, position FROM {LIVE}.checkpoint"  # noqa: S608  a constant
        " WHERE projection = ANY($1::text[]) ORDER BY projection FOR UPDATE",
        list(plan.chosen),
    )
    if not plan.diverged:
        live = {row["projection"]: row["position"] for row in rows}
        await catch_up(
            connection, log, projections, await goals(connection, projections, live)
        )


async def goals(
    connection: asyncpg.Connection,
    projections: Sequence[Projection],
    live: dict[str, int],
) -> dict[str, int]:
    """Return how far each is to be folded: as far as live, never back."""
    at: dict[str, Checkpoint] = await load_checkpoints(connection, projections)
    return {
        name: max(checkpoint.position, live.get(name, 0))
        for name, checkpoint in at.items()
    }


async def _hand_over(connection: asyncpg.Connection, plan: Plan) -> None:
    """Let the live checkpoints say what the new tables are."""
    if plan.everything:
        await connection.execute(
            f"DELETE FROM {LIVE}.checkpoint WHERE NOT projection = ANY($1::text[])",  # noqa: S608  a constant
            list(plan.chosen),
        )
    await connection.execute(
        f"""
        INSERT INTO {LIVE}.checkpoint AS c
            (projection, version, shape, position, event, code, tables)
        SELECT projection, version, shape, position, event, code, tables
        FROM {SHADOW}.checkpoint
        ON CONFLICT (projection) DO UPDATE SET version = excluded.version,
            shape = excluded.shape, position = excluded.position,
            event = excluded.event, code = excluded.code, tables = excluded.tables
        """  # noqa: S608  constants
    )
    await connection.execute(f"DELETE FROM {SHADOW}.rebuild")  # noqa: S608  a constant


async def _live_tables(connection: asyncpg.Connection, plan: Plan) -> list[str]:
    """Name the live tables that go: those made for the chosen, and their successors'.

    If everything is folded anew, all go, also what nobody knows any more.
    """
    rows = await connection.fetch(
        f"""
        SELECT t.tablename AS name FROM pg_tables AS t
        WHERE t.schemaname = '{LIVE}' AND t.tablename <> 'checkpoint' AND ($1
            OR EXISTS (SELECT FROM pg_tables AS s
                WHERE s.schemaname = '{SHADOW}' AND s.tablename = t.tablename)
            OR EXISTS (SELECT FROM {LIVE}.checkpoint AS c
                WHERE c.projection = ANY($2::text[])
                    AND t.tablename = ANY(c.tables)))
        ORDER BY 1
        """,  # noqa: S608  constants
        plan.everything,
        list(plan.chosen),
    )
    return [row["name"] for row in rows]


async def _shadow_tables(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = $1"
        " AND NOT tablename = ANY($2::text[]) ORDER BY 1",
        SHADOW,
        list(NOTES),
    )
    return [row["name"] for row in rows]
