"""Indexes a fold could look up by, made afterwards where it hardly ever does."""

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from domain.event import tag_of
from infra.rebuild.shadow import SHADOW
from projections.projection import Projection, lookups

FEW: Final = 1_000
"""Up to so many events are folded without the index they would look up by."""


async def put_aside(
    connection: asyncpg.Connection,
    projections: Sequence[Projection],
    events: Mapping[str, int],
) -> None:
    """Drop them, noting how they are made; ``events`` counts the log's by type."""
    for each in projections:
        for index, used_by in lookups(each).items():
            if sum(events.get(tag_of(event), 0) for event in used_by) <= FEW:
                await connection.execute(
                    "INSERT INTO aside (name, definition)"
                    " SELECT $1, pg_get_indexdef(to_regclass($2))",
                    index,
                    f"{SHADOW}.{index}",
                )
                await connection.execute(f"DROP INDEX {SHADOW}.{index}")


async def put_back(connection: asyncpg.Connection) -> None:
    """Make them, each in a transaction that forgets that it is to be made."""
    for row in await connection.fetch("SELECT name, definition FROM aside"):
        async with connection.transaction():
            await connection.execute(row["definition"])
            await connection.execute("DELETE FROM aside WHERE name = $1", row["name"])
