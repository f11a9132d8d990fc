"""The law that closes every integration test: rebuilt views equal live views."""

import asyncio
import time
from collections.abc import Sequence
from uuid import uuid4

import asyncpg

from infra.postgres.views import LIVE, connect_views
from infra.proof.comparison import differences_of
from projections.ports import LogReader
from projections.projection import Projection
from projections.registry import LAGGING, PROMPT
from tests.support.fold_log import fold_log

BOUND = 60.0


async def assert_rebuilt_equals_live(
    dsn: str,
    log: LogReader,
    projections: Sequence[Projection] = (*PROMPT, *LAGGING),
) -> None:
    """Fold the log from position 0 elsewhere and compare every row of every table.

    Waits, bounded, until the live views have reached the log's head; nothing may
    write meanwhile. ``projections`` must be all that live has tables of.
    """
    schema = f"law_{uuid4().hex[:12]}"
    connection = await connect_views(dsn, schema)
    try:
        head = await _caught_up(connection, log, projections)
        await fold_log(connection, schema, log, projections, through=head)
        differences = await differences_of(connection, LIVE, schema)
        assert differences == [], differences
    finally:
        await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        await connection.close()


async def _caught_up(
    connection: asyncpg.Connection, log: LogReader, projections: Sequence[Projection]
) -> int:
    deadline = time.monotonic() + BOUND
    names = [each.name for each in projections]
    while True:
        head = await log.head()
        behind = await connection.fetch(
            f"SELECT projection, position FROM {LIVE}.checkpoint"  # noqa: S608  a constant
            " WHERE projection = ANY($1::text[]) AND position < $2",
            names,
            head,
        )
        if not behind:
            return head
        assert time.monotonic() < deadline, f"{behind} did not reach {head}"
        await asyncio.sleep(0.01)
