"""The schema the views live in: made, recognised, and reached by a connection."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

import asyncpg

from infra.code_hash import code_of
from projections.projection import Projection

LIVE: Final = "view"
"""The schema that readers see."""

_TURN: Final = 7700102

_CHECKPOINT: Final = """
CREATE TABLE IF NOT EXISTS checkpoint (
    projection text    COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    shape      text    COLLATE "C" NOT NULL,
    position   bigint  NOT NULL,
    event      uuid,
    code       text    COLLATE "C" NOT NULL DEFAULT '',
    tables     text[]  COLLATE "C" NOT NULL DEFAULT '{}',
    PRIMARY KEY (projection)
) WITH (fillfactor = 50);
"""
"""``code`` is the hash of what folds it, ``tables`` what it made here."""

# What an earlier version made has neither; its views will be found to have drifted.
_COMPLETE: Final = """
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = to_regclass('checkpoint')
        AND attname = 'code'
    ) THEN
        ALTER TABLE checkpoint
            ADD COLUMN code text COLLATE "C" NOT NULL DEFAULT '',
            ADD COLUMN tables text[] COLLATE "C" NOT NULL DEFAULT '{}';
    END IF;
END $$;
"""

# Readers may act as a role of their own (infra/postgres/role.py).
_GRANT: Final = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'palimpsest_app') THEN
        GRANT USAGE ON SCHEMA {schema} TO palimpsest_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA {schema}
            GRANT SELECT ON TABLES TO palimpsest_app;
    END IF;
END $$;
"""

_EXTENSION: Final = """
SELECT quote_ident(n.nspname) FROM pg_extension AS e
JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'vector'
"""

# Of a table known to be empty no index looks worth its while, however large it becomes;
# of one nobody looked at yet it is taken that there are rows.
_FILLED: Final = """
SELECT quote_ident(relname) AS name FROM pg_class
WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' AND pg_relation_size(oid) > 0
"""


class ViewsNewer(Exception):  # noqa: N818  says what was found
    """The views were made by a later version of Palimpsest than this one."""


class ViewsOlder(Exception):  # noqa: N818  says what was found
    """The views are not yet what this version knows: somebody has to make them so."""


async def connect_views(
    dsn: str, schema: str = LIVE, *, behind: str | None = None
) -> asyncpg.Connection:
    """Connect for folding: unqualified names are the tables of this schema.

    What is not there is looked for in the schema ``behind`` it.

    Commits need not wait for the disk: what is lost is folded again. Statements are
    planned once, perhaps while tables are small: ``analyze_views`` makes the server
    plan them again as they grow.
    """
    connection = await asyncpg.connect(
        dsn,
        server_settings={
            "application_name": f"palimpsest-{schema}",
            "default_transaction_isolation": "read committed",
            "synchronous_commit": "off",
            "enable_seqscan": "off",
            "plan_cache_mode": "force_generic_plan",
            "jit": "off",
        },
    )
    try:
        await connection.execute(
            f"SET search_path TO {await search_path_of(connection, schema, behind)}"
        )
    except BaseException:
        connection.terminate()
        raise
    return connection


async def search_path_of(
    connection: asyncpg.Connection, schema: str = LIVE, behind: str | None = None
) -> str:
    """Return the search path of a schema of views: it, and where ``vector`` is."""
    vectors = await connection.fetchval(_EXTENSION)
    return ", ".join(each for each in (schema, behind, vectors) if each is not None)


async def make_views(dsn: str, projections: Sequence[Projection]) -> list[str]:
    """Make what is missing; return the projections that must be rebuilt.

    Those are the ones whose tables were made in another shape, or folded by other
    code, than this one's. Several processes may call it at once.

    Raises:
        ViewsNewer: a later version of Palimpsest made them; nothing was changed.
    """
    await _make_extension(dsn)
    connection = await connect_views(dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _TURN)
            await make_schema(connection, LIVE)
            return await _make_missing(connection, projections)
    finally:
        await connection.close()


async def make_schema(connection: asyncpg.Connection, schema: str) -> None:
    """Make the schema, with its table of checkpoints, if it is not there."""
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    await connection.execute(_GRANT.format(schema=schema))
    await connection.execute(_CHECKPOINT)
    await connection.execute(_COMPLETE)


async def make_tables(
    connection: asyncpg.Connection, projections: Iterable[Projection]
) -> None:
    """Make the tables of projections, and note that nothing is folded into them."""
    before = await _tables_here(connection)
    for each in projections:
        await connection.execute(each.tables)
        after = await _tables_here(connection)
        await connection.execute(
            "INSERT INTO checkpoint"
            " (projection, version, shape, position, code, tables)"
            " VALUES ($1, $2, $3, 0, $4, $5)",
            each.name,
            each.version,
            shape_of(each),
            code_of(each),
            sorted(after - before),
        )
        before = after


async def make_indexes(
    connection: asyncpg.Connection, projections: Iterable[Projection]
) -> None:
    """Make the indexes that only readers need."""
    for each in projections:
        if each.indexes:
            await connection.execute(each.indexes)


async def analyze_views(connection: asyncpg.Connection, schema: str = LIVE) -> None:
    """Tell the planner what tables hold that hold something; plans are made anew."""
    for row in await connection.fetch(_FILLED, schema):
        await connection.execute(f"ANALYZE {schema}.{row['name']}")


async def _tables_here(connection: asyncpg.Connection) -> set[str]:
    rows = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    )
    return {row["tablename"] for row in rows}


def shape_of(projection: Projection) -> str:
    """Return a hash of a projection's tables and indexes."""
    shape = f"{projection.version}\n{projection.tables}\n{projection.indexes}"
    return sha256(shape.encode()).hexdigest()[:16]


async def drifted_views(
    connection: asyncpg.Connection, projections: Sequence[Projection]
) -> list[str]:
    """Return the projections whose live views other code made, by name.

    Raises:
        ViewsNewer: a later version of Palimpsest made some.
    """
    rows = await connection.fetch(
        f"SELECT projection, version, shape, code FROM {LIVE}.checkpoint"  # noqa: S608  a constant
    )
    found = {row["projection"]: row for row in rows}
    known = [each for each in projections if each.name in found]
    for each in known:
        if found[each.name]["version"] > each.version:
            raise ViewsNewer(
                f"The views are newer than this Palimpsest: {each.name} stands at "
                f"version {found[each.name]['version']}, this one knows {each.version}"
            )
    return [
        each.name
        for each in known
        if (found[each.name]["shape"], found[each.name]["code"])
        != (shape_of(each), code_of(each))
    ]


async def check_views(dsn: str, projections: Sequence[Projection]) -> None:
    """Check that all views are there, folded by this code; nothing is changed.

    Raises:
        ViewsOlder: some are missing, or other code folded them.
        ViewsNewer: a later version of Palimpsest made some.
    """
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(f"SELECT projection FROM {LIVE}.checkpoint")  # noqa: S608  a constant
        drifted = await drifted_views(connection, projections)
    except asyncpg.UndefinedTableError:
        raise ViewsOlder(
            "no views were made yet: palimpsest migrate, or up, does"
        ) from None
    finally:
        await connection.close()
    found = {row["projection"] for row in rows}
    wanting = sorted({each.name for each in projections} - found) or drifted
    if wanting:
        raise ViewsOlder(
            f"views are missing, or folded by other code ({', '.join(wanting)}):"
            " palimpsest migrate, or up, makes them current"
        )


async def _make_missing(
    connection: asyncpg.Connection, projections: Sequence[Projection]
) -> list[str]:
    drifted = await drifted_views(connection, projections)
    rows = await connection.fetch("SELECT projection FROM checkpoint")
    found = {row["projection"] for row in rows}
    missing = [each for each in projections if each.name not in found]
    await make_tables(connection, missing)
    await make_indexes(connection, missing)
    return drifted


async def _make_extension(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        if await connection.fetchval(_EXTENSION) is None:
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _TURN)
                await connection.execute(
                    # Else it lands in a schema that readers' role may not use.
                    "CREATE EXTENSION IF NOT EXISTS vector SCHEMA public"
                )
    finally:
        await connection.close()
