"""Roll-ups in Postgres: a batch counted, and how far that is, in one transaction."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from infra.analytics.facts import Derived, Fact, Named, fact_of
from infra.analytics.fold import Changes, Known, Level
from infra.analytics.tables import ROLL_UPS, RollUp
from infra.postgres.stored_row import StoredRow
from projections.columns import as_text

_STANDS: Final = "SELECT position, event FROM analytics.progress"
# What a crash of the machine takes of the last counts it takes of the position, too.
_BEGIN: Final = """
    SELECT position, event FROM analytics.progress,
        set_config('synchronous_commit', 'off', true) FOR UPDATE OF progress
"""
_MOVE: Final = "UPDATE analytics.progress SET position = $1, event = $2, at = $3"
_WAITING: Final = """
    SELECT w.workspace, w.session, w.seq, w.at
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
        AS r (workspace, session, low, high)
    JOIN analytics.waiting AS w ON w.workspace = r.workspace
        AND w.session = r.session AND w.seq BETWEEN r.low AND r.high
"""
_LEVELS: Final = """
    SELECT l.workspace, l.conclusion, l.level, l.session
    FROM unnest($1::text[], $2::text[]) AS n (workspace, conclusion)
    JOIN analytics.level AS l USING (workspace, conclusion)
"""
_CHANGED: Final = """
    INSERT INTO analytics.changed AS c (day, position)
    SELECT * FROM unnest($1::date[], $2::bigint[])
    ON CONFLICT (day) DO UPDATE SET position = greatest(c.position, excluded.position)
"""
_ERASED_DAYS: Final = """
    SELECT a.day, max(e.position) FROM unnest($1::text[], $2::bigint[])
        AS e (workspace, position) JOIN analytics.activity AS a USING (workspace)
    GROUP BY a.day
"""
_KEPT: Final = ("waiting", "level")
_OF_SESSION: Final = """
    DELETE FROM analytics.{table} AS t USING unnest($1::text[], $2::text[])
        AS e (workspace, session)
    WHERE t.workspace = e.workspace AND t.session = e.session
"""
_DERIVED: Final = """
    DELETE FROM analytics.waiting AS w
    USING unnest($1::text[], $2::text[], $3::bigint[]) AS d (workspace, session, seq)
    WHERE (w.workspace, w.session, w.seq) = (d.workspace, d.session, d.seq)
"""
_WAIT: Final = """
    INSERT INTO analytics.waiting (workspace, session, seq, at)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[])
    ON CONFLICT (workspace, session, seq) DO UPDATE SET at = excluded.at
"""
_LEVEL: Final = """
    INSERT INTO analytics.level (workspace, conclusion, level, session)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
    ON CONFLICT (workspace, conclusion) DO UPDATE
    SET level = excluded.level, session = excluded.session
"""
_TABLES: Final = (*(table.name for table in ROLL_UPS), "changed", *_KEPT)


class Moved(Exception):  # noqa: N818  says what happened
    """What was brought does not continue what is counted: read from ``position`` on.

    All is to be counted anew, or what brought it left something out.
    """

    def __init__(self, position: int) -> None:
        super().__init__(f"The roll-ups stand at position {position}")
        self.position = position


class OtherLog(Exception):  # noqa: N818  says what was found
    """The topic is not the one that was counted: its position is another event."""


class Stands(msgspec.Struct, frozen=True):
    """How far is counted: a position, 0 for nothing, and the id of its event."""

    position: int
    event: UUID | None


class RollUps:
    """The tables of the schema ``analytics``, through a pool or a connection."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def stands(self) -> Stands:
        """Return how far is counted."""
        return Stands(*await self._pool.fetchrow(_STANDS))

    async def count(self, rows: Sequence[StoredRow]) -> int:
        """Count what was not counted before; return how many rows that were.

        Rows are in the order of their positions, without gaps. Calling it twice, or
        from two processes at once, counts nothing twice.

        Raises:
            Moved, OtherLog, Unreadable: nothing was counted.
        """
        async with self._pool.acquire() as db, db.transaction():
            stands = Stands(*await db.fetchrow(_BEGIN))
            fresh = _fresh(rows, stands)
            if not fresh:
                return 0
            facts = [fact for row in fresh if (fact := fact_of(row)) is not None]
            changes = Changes(await _known(db, facts))
            changes.fold(facts)
            await _write(db, changes)
            last = fresh[-1]
            await db.execute(_MOVE, last.position, last.id, last.recorded_at)
            return len(fresh)

    async def forget(self) -> None:
        """Drop everything counted: whoever counts begins at the first position."""
        async with self._pool.acquire() as db, db.transaction():
            await db.execute(f"{_STANDS} FOR UPDATE")
            await db.execute(_MOVE, 0, None, None)
            tables = ", ".join(f"analytics.{each}" for each in _TABLES)
            await db.execute(f"TRUNCATE {tables}")


def _fresh(rows: Sequence[StoredRow], stands: Stands) -> Sequence[StoredRow]:
    for row in rows:
        if row.position == stands.position and row.id != stands.event:
            raise OtherLog(
                f"Position {row.position} is another event than the one counted:"
                " the topic is of another log. Count it anew (analytics rebuild), or"
                " look at KAFKA_TOPIC"
            )
    fresh = [row for row in rows if row.position > stands.position]
    if fresh and fresh[0].position != stands.position + 1:
        raise Moved(stands.position)
    return fresh


async def _known(db: asyncpg.Connection, facts: Sequence[Fact]) -> Known:
    """Read what these facts may name of what was counted before."""
    known = Known()
    ranges = {
        (f.workspace, f.told.session, f.told.first_seq, f.told.last_seq)
        for f in facts
        if isinstance(f.told, Derived)
    }
    if ranges:
        for *waits, at in await db.fetch(_WAITING, *_columns(ranges)):
            known.waiting[waits[0], waits[1], waits[2]] = at
    named = {
        (f.workspace, as_text(f.told.id)) for f in facts if isinstance(f.told, Named)
    }
    if named:
        for workspace, id_, *level in await db.fetch(_LEVELS, *_columns(named)):
            known.levels[workspace, id_] = Level(*level)
    return known


async def _write(db: asyncpg.Connection, changes: Changes) -> None:
    await _erase(db, changes)
    if changes.derived:
        await db.execute(_DERIVED, *_columns(changes.derived))
    for table in ROLL_UPS:
        if rows := changes.counts[table.name]:
            cells = [
                (*key, *(row.get(column, 0) for column in table.counts))
                for key, row in sorted(rows.items())
            ]
            await db.execute(_add_to(table), *_columns(cells))
    new = changes.new
    if new.waiting:
        await db.execute(_WAIT, *_columns((*k, at) for k, at in new.waiting.items()))
    if new.levels:
        levels = ((*k, v.level, v.session) for k, v in new.levels.items())
        await db.execute(_LEVEL, *_columns(levels))
    if changes.days:
        await db.execute(_CHANGED, *_columns(sorted(changes.days.items())))


async def _erase(db: asyncpg.Connection, changes: Changes) -> None:
    if changes.workspaces:
        erased = _columns(changes.workspaces.items())
        days = await db.fetch(_ERASED_DAYS, *erased)
        if days:
            await db.execute(_CHANGED, *_columns(days))
        for table in (*(each.name for each in ROLL_UPS), *_KEPT):
            await db.execute(
                f"DELETE FROM analytics.{table} WHERE workspace = ANY ($1)",  # noqa: S608  ours
                erased[0],
            )
    if changes.sessions:
        for table in ("waiting", "level"):
            await db.execute(
                _OF_SESSION.format(table=table), *_columns(changes.sessions)
            )


def _add_to(table: RollUp) -> str:
    columns = [name for name, _ in table.keys] + list(table.counts)
    types = [kind for _, kind in table.keys] + ["bigint"] * len(table.counts)
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(types, start=1))
    added = [f"{each} = t.{each} + excluded.{each}" for each in table.sums]
    raised = [f"{each} = greatest(t.{each}, excluded.{each})" for each in table.highest]
    return (
        f"INSERT INTO analytics.{table.name} AS t ({', '.join(columns)})"  # noqa: S608  names of ours
        f" SELECT * FROM unnest({arrays})"
        f" ON CONFLICT ({', '.join(name for name, _ in table.keys)})"
        f" DO UPDATE SET {', '.join(added + raised)}"
    )


def _columns(rows: Any) -> list[list[Any]]:
    """Turn rows into as many lists as they have columns; there is at least one."""
    return [list(column) for column in zip(*rows, strict=True)]
