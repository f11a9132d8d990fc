"""Indexes that a projection's own fold does not use, made once it is folded."""

from collections.abc import Sequence

import asyncpg

from infra.rebuild.shadow import SHADOW
from projections.projection import Projection, commutes, unused


async def put_aside(
    connection: asyncpg.Connection, projections: Sequence[Projection]
) -> None:
    """Drop those of the first to be folded, noting how they are made."""
    for each in projections:
        for index in unused(each) if commutes(each) else ():
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
