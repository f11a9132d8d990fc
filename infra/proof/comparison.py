"""Compares the rows of two schemas of views and names what differs, quoting nobody."""

import json
from collections.abc import Sequence
from typing import Any, Final, Literal

import asyncpg
import msgspec

_SHOWN: Final = 5
"""Differing rows named of one table."""

_SPOKEN: Final = frozenset({"word"})
"""Key columns that hold words somebody said."""

_POSITIONS: Final = ("from_position", "position", "folded")

_TABLES: Final = """
SELECT tablename::text AS name FROM pg_tables
WHERE schemaname = $1 AND tablename <> 'checkpoint' ORDER BY tablename
"""

_COLUMNS: Final = """
SELECT a.attname::text AS name, a.attnum = ANY (i.indkey) AS is_key
FROM pg_attribute AS a
JOIN pg_index AS i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is not in both folds alike.

    ``only`` names the fold that has it, None if both have it with other ``columns``.
    ``position`` is that of the event the row begins with, None where it has none.
    """

    table: str
    key: dict[str, Any] = {}
    only: Literal["live", "folded"] | None = None
    columns: tuple[str, ...] = ()
    position: int | None = None


class Rows(msgspec.Struct, frozen=True):
    """Which rows of a table are compared: a condition over ``t``, its arguments."""

    condition: str = "TRUE"
    arguments: tuple[Any, ...] = ()


EVERY: Final = Rows()


async def tables_of(db: asyncpg.Connection, schema: str) -> list[str]:
    """Name a schema's tables, without the one that only says how far it came."""
    return [row["name"] for row in await db.fetch(_TABLES, schema)]


async def differences_of(
    db: asyncpg.Connection, live: str, folded: str, rows: Rows = EVERY
) -> list[Difference]:
    """Compare every row of every table; an equal row once too often differs too.

    With ``rows`` those only, of tables that have the workspace's column ``tenant``.
    """
    theirs = set(await tables_of(db, live))
    ours = set(await tables_of(db, folded))
    found = [Difference(table=each, only="live") for each in sorted(theirs - ours)]
    found += [Difference(table=each, only="folded") for each in sorted(ours - theirs)]
    for table in sorted(theirs & ours):
        found += await compare_rows(db, (live, folded), table, rows)
    return found


async def compare_rows(
    db: asyncpg.Connection,
    schemas: tuple[str, str],
    table: str,
    rows: Rows = EVERY,
) -> list[Difference]:
    """Compare a table of a live schema with that of a folded one.

    A table that does not tell workspaces apart is compared whole. Of many differing
    rows those of the lowest positions are named.
    """
    live, folded = (f'"{schema}"."{table}"' for schema in schemas)
    columns = await db.fetch(_COLUMNS, folded)
    names = [row["name"] for row in columns]
    if "tenant" not in names:
        rows = EVERY
    key = [row["name"] for row in columns if row["is_key"]]
    since = next((each for each in _POSITIONS if each in names), None)
    order = "1" if since is None else f"least(l.{since}, f.{since})"
    part = f"FROM {{}} AS t WHERE {rows.condition}"
    listed = ", ".join(f't."{name}"' for name in names)
    found = await db.fetch(
        f"""
        WITH live AS MATERIALIZED (SELECT {listed} {part.format(live)}),
        folded AS MATERIALIZED (SELECT {listed} {part.format(folded)}),
        l AS (TABLE live EXCEPT ALL TABLE folded),
        f AS (TABLE folded EXCEPT ALL TABLE live)
        SELECT to_jsonb(l) AS live, to_jsonb(f) AS folded
        FROM l FULL JOIN f USING ({", ".join(key)}) ORDER BY {order} LIMIT {_SHOWN}
        """,  # noqa: S608  names of the catalogue
        *rows.arguments,
    )
    return [_difference(table, key, since, row) for row in found]


def _difference(
    table: str, key: Sequence[str], since: str | None, row: asyncpg.Record
) -> Difference:
    live, folded = (
        {} if row[side] is None else json.loads(row[side])
        for side in ("live", "folded")
    )
    there: dict[str, Any] = live or folded
    other = [name for name in live if name in folded and live[name] != folded[name]]
    return Difference(
        table=table,
        key={name: there[name] for name in key if name not in _SPOKEN},
        only=None if live and folded else "live" if live else "folded",
        columns=tuple(other),
        position=None if since is None else there[since],
    )
