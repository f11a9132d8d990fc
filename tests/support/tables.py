"""What stands in the tables of a schema, for comparing one fold with another."""

import asyncpg


async def tables_of(connection: asyncpg.Connection, schema: str) -> list[str]:
    """Name the schema's tables, without those that only say how far it came."""
    rows = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = $1"
        " AND tablename <> 'checkpoint' ORDER BY tablename",
        schema,
    )
    return [row["tablename"] for row in rows]


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
