"""Compares what was folded anew with the live views, at one moment of the database."""

from typing import Final

import asyncpg

from infra.postgres.views import LIVE
from infra.rebuild.report import Difference
from infra.rebuild.shadow import NOTES, SHADOW

WHOLE: Final = 20_000
"""Rows up to which a table is compared row by row; of a larger one, a sample is."""

SAMPLE: Final = 2_000
"""Rows of a sample, about."""

_TABLES: Final = f"""
WITH ahead AS (
    SELECT s.tables FROM {SHADOW}.checkpoint AS s
    JOIN {LIVE}.checkpoint AS l USING (projection) WHERE s.position > l.position
), named AS (
    SELECT s.tablename AS name, l.tablename IS NULL AS fresh,
        to_regclass(quote_ident($1) || '.' || quote_ident(s.tablename)) AS made,
        to_regclass(quote_ident($2) || '.' || quote_ident(s.tablename)) AS there
    FROM pg_tables AS s
    LEFT JOIN pg_tables AS l ON l.schemaname = $2 AND l.tablename = s.tablename
    WHERE s.schemaname = $1 AND NOT s.tablename = ANY($3::text[])
    AND NOT EXISTS (SELECT FROM ahead AS a WHERE s.tablename = ANY(a.tables)
        OR NOT EXISTS (SELECT FROM {SHADOW}.checkpoint AS c
            WHERE s.tablename = ANY(c.tables)))
)
SELECT name, fresh,
    ARRAY(SELECT (attname, format_type(atttypid, atttypmod))::text FROM pg_attribute
        WHERE attrelid = made AND attnum > 0 ORDER BY attnum)
    IS DISTINCT FROM
    ARRAY(SELECT (attname, format_type(atttypid, atttypmod))::text FROM pg_attribute
        WHERE attrelid = there AND attnum > 0 ORDER BY attnum) AS reshaped,
    ARRAY(SELECT a.attname::text FROM pg_index AS i
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
        WHERE i.indisprimary AND i.indrelid = made) AS key
FROM named ORDER BY name
"""  # noqa: S608  constants


async def find_differences(connection: asyncpg.Connection) -> tuple[Difference, ...]:
    """Name the tables whose live rows differ, in a transaction that sees one moment.

    Each table's rows are counted; small tables are compared row by row, of large ones
    a sample of the rebuilt rows is looked up. Live views that are not as far as the
    rebuilt ones are not compared, nor are tables made while folding if any is not.
    """
    found: list[Difference] = []
    await connection.execute("SET LOCAL enable_seqscan = on")  # all rows are counted
    for row in await connection.fetch(_TABLES, SHADOW, LIVE, list(NOTES)):
        name = row["name"]
        if row["fresh"]:
            told: str | None = "not there before"
        elif row["reshaped"]:
            told = "other columns"
        else:
            told = await _told(connection, name, row)
        if told is not None:
            found.append(Difference(name, told))
    return tuple(found)


async def _told(
    connection: asyncpg.Connection, table: str, row: asyncpg.Record
) -> str | None:
    shadow, live = f'{SHADOW}."{table}"', f'{LIVE}."{table}"'
    made: int = await connection.fetchval(f"SELECT count(*) FROM {shadow}")  # noqa: S608  names of the catalogue
    there: int = await connection.fetchval(f"SELECT count(*) FROM {live}")  # noqa: S608  names of the catalogue
    if made != there:
        return f"{there} rows instead of {made}"
    if made <= WHOLE:
        differing: int = await connection.fetchval(
            f"SELECT count(*) FROM (TABLE {shadow} EXCEPT ALL TABLE {live}) AS t"  # noqa: S608  names of the catalogue
        )
        return f"{differing} rows differ" if differing else None
    same = " AND ".join(f's."{column}" = l."{column}"' for column in row["key"])
    percent = 100 * SAMPLE / made
    missed: int = await connection.fetchval(
        f"""
        SELECT count(*) FROM {shadow} AS s TABLESAMPLE SYSTEM ({percent:.6f})
        WHERE NOT EXISTS (
            SELECT FROM {live} AS l WHERE {same} AND l.*::text = s.*::text)
        """  # noqa: S608  names of the catalogue
    )
    return f"{missed} of about {SAMPLE} sampled rows differ" if missed else None
