"""Roll-ups as Parquet: a file for each table and day, the same bytes for the same day.

``FOLDER/activity/day=2026-11-28/roll-up.parquet``, and so ``conclusions``, ``models``
and ``latency``: the layout every reader of partitions knows. A file is there whole or
not at all; it says in its metadata up to which position the day is counted, so that
who begins again knows what is left to do.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from shutil import rmtree
from typing import Final

import asyncpg

from infra.analytics.facts import utc_day
from infra.analytics.report import progress
from infra.analytics.tables import ACTIVITY, CONCLUSIONS, LATENCY, MODELS, RollUp
from infra.postgres.connection import tirelessly
from infra.settings import SettingsUnusable

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ModuleNotFoundError as missing:
    raise SettingsUnusable(
        "Parquet wants the extra analytics: uv sync --extra analytics"
    ) from missing

POSITION: Final = b"palimpsest.position"

LOOK: Final = 5.0
"""Seconds between two looks at which days are over, or were changed since."""

_FILE: Final = "roll-up.parquet"
_CHANGED: Final = """
    SELECT day, position FROM analytics.changed WHERE day < $1 ORDER BY day
"""
_POSITION: Final = "SELECT position FROM analytics.changed WHERE day = $1"
_PEERS: Final = """(SELECT count(*) FROM analytics.active_peer AS p
    WHERE (p.workspace, p.day) = (t.workspace, t.day)) AS active_peers"""
_TYPES: Final = {"text": pa.string(), "smallint": pa.int16()}
_TABLES: Final = (ACTIVITY, CONCLUSIONS, MODELS, LATENCY)

End = Callable[[], Awaitable[int | None]]
"""Up to which position there is something to count, None while nobody knows."""

_Files = tuple[tuple[int, int] | None, ...]
"""When the files of a day were written, and how long they are; None for none there."""


class ParquetFolder:
    """A folder of exported days, written by one process at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[date, tuple[int, _Files]] = {}

    async def keep(self, pool: asyncpg.Pool, end: End) -> None:
        """Write days that are over, and those that an erasure changed, without end."""
        while True:
            await self.export_over(pool, end)
            await asyncio.sleep(LOOK)

    async def export_over(self, pool: asyncpg.Pool, end: End) -> list[date]:
        """Write the days that are over: an event of a later one is counted.

        Where all there is has been counted, it is the clock that tells. An event of
        such a day that comes to light later has it written again.
        """
        today = utc_day(datetime.now(UTC))
        there_is = await tirelessly(end)
        reached = await tirelessly(progress, pool)
        if reached.at is None:
            return []
        is_all = there_is is not None and reached.position >= there_is
        before = today if is_all else utc_day(reached.at)
        return await self.export(pool, before=before)

    async def export(
        self, pool: asyncpg.Pool, *, before: date = date.max
    ) -> list[date]:
        """Write the days before a day that are not there as they are counted now.

        A day of which nothing is left, for its workspace was erased, is removed.
        Return the days that changed.

        Raises:
            OSError: it cannot be written.
        """
        async with self._alone():
            days = await tirelessly(pool.fetch, _CHANGED, before)
            stale = await asyncio.to_thread(self._stale, days)
            return [day for day in stale if await self._write(pool, day)]

    def _stale(self, days: Sequence[tuple[date, int]]) -> list[date]:
        """Return the days whose files are not of these positions, or not there."""
        return [day for day, position in days if self._position(day) != position]

    def _position(self, day: date) -> int:
        """Return up to which position a day is written, -1 where it is not."""
        files = self._files(day)
        if day not in self._written or self._written[day][1] != files:
            found = {_position_in(self._path(table.name, day)) for table in _TABLES}
            self._written[day] = (found.pop() if len(found) == 1 else -1), files
        return self._written[day][0]

    def _files(self, day: date) -> _Files:
        return tuple(_seen(self._path(table.name, day)) for table in _TABLES)

    async def _write(self, pool: asyncpg.Pool, day: date) -> bool:
        """Write a day, or remove it; tell whether that changed anything."""
        position, found = await tirelessly(_read, pool, day)
        if found[ACTIVITY.name]:
            await asyncio.to_thread(self._put, day, position, found)
            changed = True
        else:
            changed = await asyncio.to_thread(self._remove, day)
        self._written[day] = position, await asyncio.to_thread(self._files, day)
        return changed

    def _put(self, day: date, position: int, found: "_Found") -> None:
        for table in _TABLES:
            arrow = _as_arrow(table, found[table.name], position)
            _replace(self._path(table.name, day), arrow)

    def _remove(self, day: date) -> bool:
        """Remove a day; tell whether there was anything of it."""
        found = [self._path(table.name, day).parent for table in _TABLES]
        there = [folder for folder in found if folder.exists()]
        for folder in there:
            rmtree(folder)
        return bool(there)

    def _path(self, table: str, day: date) -> Path:
        return self._folder / table / f"day={day.isoformat()}" / _FILE

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Keep other processes from writing; they wait."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            yield


_Found = dict[str, Sequence[asyncpg.Record]]


async def _read(pool: asyncpg.Pool, day: date) -> tuple[int, _Found]:
    """Return up to which position a day is counted, and its rows by table."""
    async with (
        pool.acquire() as db,
        db.transaction(isolation="repeatable_read", readonly=True),
    ):
        position = await db.fetchval(_POSITION, day)
        found = {table.name: await db.fetch(_select(table), day) for table in _TABLES}
    return position or 0, found


def _select(table: RollUp) -> str:
    keys = [name for name, _ in table.keys if name != "day"]
    columns = ", ".join([*keys, *table.counts])
    peers = f", {_PEERS}" if table is ACTIVITY else ""
    return (
        f"SELECT {columns}{peers} FROM analytics.{table.name} AS t WHERE day = $1"  # noqa: S608  names of ours
        f" ORDER BY {', '.join(keys)}"
    )


def _as_arrow(table: RollUp, rows: Sequence[asyncpg.Record], position: int) -> pa.Table:
    """Return the rows of a day; which day is told by the folder's name."""
    fields = [(name, _TYPES[kind]) for name, kind in table.keys if name != "day"]
    fields += [(name, pa.int64()) for name in table.counts]
    if table is ACTIVITY:
        fields.append(("active_peers", pa.int64()))
    schema = pa.schema(fields, metadata={POSITION: b"%d" % position})
    columns = [[row[name] for row in rows] for name, _ in fields]
    return pa.table(columns, schema=schema)


def _replace(path: Path, table: pa.Table) -> None:
    """Let a file be this table: as a whole, or it stays what it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_name(f".{path.name}.begun")  # readers pass over what is hidden
    with begun.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    begun.replace(path)


def _seen(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


def _position_in(path: Path) -> int:
    """Return up to which position a file is counted, -1 for none of ours."""
    try:
        told = pq.read_metadata(path).metadata or {}
        return int(told[POSITION])
    except (OSError, KeyError, ValueError, pa.ArrowInvalid):
        return -1
