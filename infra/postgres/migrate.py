"""Brings a database to the shape this code knows: numbered steps, forward only."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import asyncpg
import msgspec

from infra.postgres.role import make_role

LOCK: Final = 7700101

_RECORD = """
CREATE SCHEMA IF NOT EXISTS palimpsest;
CREATE TABLE IF NOT EXISTS palimpsest.migration (
    number     integer     NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    series     text        NOT NULL,
    name       text        NOT NULL,
    PRIMARY KEY (series, number)
);
"""


class DatabaseNewer(Exception):  # noqa: N818  says what was found
    """The database was migrated by a later version of Palimpsest than this one."""

    def __init__(self, series: str, found: int, known: int) -> None:
        super().__init__(
            f"The database is newer than this Palimpsest: its {series} stands at "
            f"step {found}, this version knows {known}"
        )
        self.found = found
        self.known = known


class DatabaseOlder(Exception):  # noqa: N818  says what was found
    """The database was not yet migrated to what this version knows."""


class Step(msgspec.Struct, frozen=True):
    """One numbered script of a series."""

    number: int
    name: str
    script: str


async def migrate(dsn: str, *, keys_dsn: str | None = None) -> int:
    """Apply what is missing and return the step the log now stands at.

    Several processes may call it at once: they take turns. The keys of personal
    fields go to ``keys_dsn`` when they have a database of their own.

    Raises:
        DatabaseNewer: nothing was changed.
    """
    await _bring(keys_dsn or dsn, "keys", steps_of("keys"))
    return await _bring(dsn, "log", steps_of("log"))


async def migrate_analytics(dsn: str) -> int:
    """Bring the tables of roll-ups to what this code knows; return their step.

    Raises:
        DatabaseNewer: nothing was changed.
    """
    return await _bring(dsn, "analytics", steps_of("analytics"))


async def check_migrated(dsn: str, *, keys_dsn: str | None = None) -> None:
    """Check that a log stands where this code expects it, changing nothing.

    So is the table of keys, where ``keys_dsn`` says which database holds it.

    Raises:
        DatabaseNewer, DatabaseOlder
        asyncpg.UndefinedTableError: there is none.
    """
    if keys_dsn is not None:
        await _check(keys_dsn, "keys")
    await _check(dsn, "log")


async def _check(dsn: str, series: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetchval(
            "SELECT max(number) FROM palimpsest.migration WHERE series = $1", series
        )
    finally:
        await connection.close()
    known = steps_of(series)[-1].number
    if (found or 0) > known:
        raise DatabaseNewer(series, found, known)
    if (found or 0) < known:
        raise DatabaseOlder(
            f"The {series} stands at step {found or 0}, this Palimpsest knows {known}:"
            " palimpsest migrate, or up, brings it there"
        )


def steps_of(series: str) -> list[Step]:
    """Return the scripts of ``log``, ``keys`` or ``analytics`` in order."""
    folder = files("infra.postgres") / "migrations"
    if series != "log":
        folder /= series
    return sorted(
        (_step(file) for file in folder.iterdir() if file.name.endswith(".sql")),
        key=lambda step: step.number,
    )


def _step(file: Traversable) -> Step:
    number, _, name = file.name.removesuffix(".sql").partition("_")
    return Step(int(number), name, file.read_text(encoding="utf-8"))


async def _bring(dsn: str, series: str, steps: list[Step]) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await connection.execute(_RECORD)
        await make_role(connection)
        found = await connection.fetchval(
            "SELECT coalesce(max(number), 0) FROM palimpsest.migration"
            " WHERE series = $1",
            series,
        )
        known = steps[-1].number
        if found > known:
            raise DatabaseNewer(series, found, known)
        for step in steps:
            if step.number > found:
                await _apply(connection, series, step)
        return known
    finally:
        await connection.close()


async def _apply(connection: asyncpg.Connection, series: str, step: Step) -> None:
    async with connection.transaction():
        await connection.execute(step.script)
        await connection.execute(
            "INSERT INTO palimpsest.migration (series, number, name)"
            " VALUES ($1, $2, $3)",
            series,
            step.number,
            step.name,
        )
