"""The schema a rebuild fills, and its notes of how far it is."""

from collections.abc import Sequence
from typing import Final

import asyncpg
import msgspec

from infra.postgres.checkpoints import CheckpointMoved
from infra.postgres.views import LIVE, connect_views, make_schema, make_tables
from infra.rebuild.plan import Plan
from projections.projection import Projection

SHADOW: Final = "view_rebuild"
"""The schema that is filled while the live one still serves."""

FORMER: Final = "view_former"
"""Where the live tables go, to be dropped when nobody reads them any more."""

NOTES: Final = frozenset({"rebuild", "lane", "aside", "step", "checkpoint"})
"""Tables of the shadow that are no view's."""

_NOTES: Final = """
CREATE TABLE rebuild (plan jsonb NOT NULL);
CREATE TABLE lane (
    name     text COLLATE "C" NOT NULL,
    stage    text COLLATE "C" NOT NULL,
    views    text[] COLLATE "C" NOT NULL,
    first    integer NOT NULL,
    last     integer NOT NULL,
    events   bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (name)
) WITH (fillfactor = 50);
CREATE TABLE aside (
    name       text COLLATE "C" NOT NULL,
    definition text NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE step (name text COLLATE "C" NOT NULL, PRIMARY KEY (name));
"""


class Lane(msgspec.Struct, frozen=True):
    """Some projections, and a range of shards: what one connection folds in order.

    ``events`` is about how many it will fold, ``position`` how far it is; ``stage``
    says which lanes run side by side.
    """

    name: str
    stage: str
    views: tuple[str, ...]
    first: int
    last: int
    events: int
    position: int = 0


async def connect_shadow(dsn: str, plan: Plan) -> asyncpg.Connection:
    """Connect for folding into the shadow; live tables are seen behind those of it.

    If everything is folded anew they are not: what is missing must not be found there.
    """
    connection = await connect_views(
        dsn, SHADOW, behind=None if plan.everything else LIVE
    )
    try:
        # Else a connection that was killed goes on with a long statement.
        await connection.execute("SET client_connection_check_interval = '1s'")
    except asyncpg.InvalidParameterValueError:
        pass  # not every system can tell
    except BaseException:
        connection.terminate()
        raise
    return connection


async def open_shadow(
    connection: asyncpg.Connection,
    plan: Plan,
    projections: Sequence[Projection],
    *,
    fresh: bool,
) -> Plan:
    """Go on with the rebuild that was broken off, or begin one; return its plan.

    Only one of the same projections, by the same code, from the same log is gone on
    with; any other is thrown away.
    """
    found = await _found(connection)
    if found is not None and not fresh and _is_same(found, plan):
        return found
    async with connection.transaction():
        await connection.execute(f"DROP SCHEMA IF EXISTS {SHADOW} CASCADE")
        await make_schema(connection, SHADOW)
        await connection.execute(_NOTES)
        await make_tables(connection, projections)
        await leave_alone(connection, until_told=True)
        await connection.execute(
            "INSERT INTO rebuild (plan) VALUES ($1::jsonb)",
            msgspec.json.encode(plan).decode(),
        )
    return plan


async def leave_alone(connection: asyncpg.Connection, *, until_told: bool) -> None:
    """Keep autovacuum away from what is being filled, or let it come again."""
    change = "SET (autovacuum_enabled = false)"
    for row in await connection.fetch(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = $1", SHADOW
    ):
        await connection.execute(
            f'ALTER TABLE {SHADOW}."{row["name"]}"'
            f" {change if until_told else 'RESET (autovacuum_enabled)'}"
        )


async def add_lanes(connection: asyncpg.Connection, lanes: Sequence[Lane]) -> None:
    """Note lanes that are to be run."""
    await connection.executemany(
        "INSERT INTO lane (name, stage, views, first, last, events, position)"
        " VALUES ($1, $2, $3, $4, $5, $6, 0)",
        [(e.name, e.stage, e.views, e.first, e.last, e.events) for e in lanes],
    )


async def lanes_of(connection: asyncpg.Connection, stage: str) -> list[Lane]:
    """Return the lanes of a stage, as far as each is."""
    rows = await connection.fetch(
        "SELECT name, stage, views, first, last, events, position FROM lane"
        " WHERE stage = $1 ORDER BY name",
        stage,
    )
    return [Lane(row[0], row[1], tuple(row[2]), *row[3:]) for row in rows]


async def move_lane(
    connection: asyncpg.Connection, lane: Lane, before: int, to: int
) -> None:
    """Move a lane on from where it was found, with the rows it folded.

    Raises:
        CheckpointMoved: it was not there; the caller rolls back.
    """
    status = await connection.execute(
        "UPDATE lane SET position = $3 WHERE name = $1 AND position = $2",
        lane.name,
        before,
        to,
    )
    if status != "UPDATE 1":
        raise CheckpointMoved("Another rebuild folds the same views")


async def is_done(connection: asyncpg.Connection, step: str) -> bool:
    """Tell whether a step was done, by this run or the one before."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM step WHERE name = $1)", step
    )
    return found


async def note_done(connection: asyncpg.Connection, step: str) -> None:
    """Note that a step is done, in the transaction that does it."""
    await connection.execute("INSERT INTO step (name) VALUES ($1)", step)


async def _found(connection: asyncpg.Connection) -> Plan | None:
    if await connection.fetchval(f"SELECT to_regclass('{SHADOW}.rebuild')") is None:
        return None
    plan = await connection.fetchval(f"SELECT plan::text FROM {SHADOW}.rebuild")  # noqa: S608  a constant
    return None if plan is None else msgspec.json.decode(plan, type=Plan)


def _is_same(found: Plan, plan: Plan) -> bool:
    """Whether both fold the same; the log may have grown, but not be another one."""
    return (
        (found.chosen, found.code, found.everything)
        == (plan.chosen, plan.code, plan.everything)
        and found.through <= plan.through
        and not plan.diverged
    )
