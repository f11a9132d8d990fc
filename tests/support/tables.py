"""What stands in the tables of a schema, for comparing one fold with another."""

import asyncpg

from infra.proof.comparison import tables_of


async def contents_of(
    connection: asyncpg.Connection, schema: str
) -> dict[str, list[str]]:
    """Return every row of every table as text, ordered."""
    return {
        table: [
            row["line"]
            for row in await connection.fetch(
                f'SELECT t::text AS line FROM "{schema}"."{table}" AS t ORDER BY 1'  # noqa: S608  names from the catalogue
            )
        ]
        for table in await tables_of(connection, schema)
    }
