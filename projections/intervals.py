"""Rows that hold from a position until another: how they open, close and are read.

Every change of an entity closes its row and opens the next, so that the table
answers for any position, not only for now (architecture section 3). Rows are keyed
by (entity, position of the event), which is what makes a second application of the
same event a no-op.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from domain.event import Event
from domain.recorded import Recorded
from projections.ports import Connection

Values = dict[str, Any]
Key = tuple[Any, ...]
Columns = Mapping[str, str]
"""Column name to the SQL type its values are sent as."""

Step = Callable[[Values | None, Recorded], Values | None]
"""From the values before an event to those after it; None leaves them."""


class Intervals:
    """The rows of one table with ``from_position`` and ``to_position``.

    ``stored`` gives columns an expression over the sent row ``g`` where the value
    sent is not the value stored. ``births`` are events that need no earlier row.
    """

    def __init__(
        self,
        table: str,
        *,
        key: Columns,
        values: Columns,
        stored: Mapping[str, str] | None = None,
        births: tuple[type[Event], ...] = (),
    ) -> None:
        self._key = tuple(key)
        self._sent = (*key, *values, "from_position", "to_position")
        self._births = births
        types = [*key.values(), *values.values(), "bigint", "bigint"]
        self._before = _before(table, key, values)
        self._write = _write(table, self._key, self._sent, types, stored or {})

    async def fold(
        self, db: Connection, batch: Sequence[Recorded], key: Columns, step: Step
    ) -> None:
        """Open a row for every event that changes an entity, and close the former.

        ``key`` maps each key column to the field of the event that holds it.
        """
        state = await self._load(db, batch, key)
        rows: list[Values] = []
        for recorded in batch:
            named = _named(recorded, key)
            after = step(state.get(named), recorded)
            if after is None:
                continue
            state[named] = after
            identity = dict(zip(self._key, named, strict=True))
            rows.append({**after, **identity, "from_position": recorded.position})
        await self.write(db, rows)

    async def write(self, db: Connection, rows: Sequence[Values]) -> None:
        """Open these rows, given in position order; each ends where the next begins."""
        if not rows:
            return
        ends: dict[Key, int] = {}
        for row in reversed(rows):
            named = tuple(row[column] for column in self._key)
            row["to_position"] = ends.get(named)
            ends[named] = row["from_position"]
        await db.execute(
            self._write, *([row[column] for row in rows] for column in self._sent)
        )

    async def _load(
        self, db: Connection, batch: Sequence[Recorded], key: Columns
    ) -> dict[Key, Values]:
        """Return each entity's values just before its first event of the batch."""
        first: dict[Key, Recorded] = {}
        for recorded in batch:
            first.setdefault(_named(recorded, key), recorded)
        wanted = {
            named: recorded.position
            for named, recorded in first.items()
            if not isinstance(recorded.event, self._births)
        }
        if not wanted:
            return {}
        rows = await db.fetch(
            self._before, *map(list, zip(*wanted, strict=True)), list(wanted.values())
        )
        names = self._sent[len(self._key) : -2]
        return {
            tuple(row[column] for column in self._key): {n: row[n] for n in names}
            for row in rows
        }


def _named(recorded: Recorded, key: Columns) -> Key:
    return tuple(getattr(recorded.event, field) for field in key.values())


def _before(table: str, key: Columns, values: Columns) -> str:
    sent = [f"${n}::{type_}[]" for n, type_ in enumerate([*key.values(), "bigint"], 1)]
    named = " AND ".join(f"t.{column} = g.{column}" for column in key)
    columns = ", ".join([*(f"g.{c}" for c in key), *(f"v.{c}" for c in values)])
    return f"""
        SELECT {columns}
        FROM unnest({", ".join(sent)}) AS g({", ".join(key)}, position)
        CROSS JOIN LATERAL (
            SELECT * FROM {table} AS t
            WHERE {named} AND t.from_position < g.position
            ORDER BY t.from_position DESC LIMIT 1
        ) AS v
    """  # noqa: S608  names and types come from the code of a projection


def _write(
    table: str,
    key: tuple[str, ...],
    sent: tuple[str, ...],
    types: list[str],
    stored: Mapping[str, str],
) -> str:
    """Close and open in one statement.

    The rows to open are only produced once ``gate`` has counted the closed ones, so
    "one current row for each entity" holds at every moment. A current row ends at
    the first later position given for its entity: what was applied before is passed
    over, whatever the cut. Each is looked for by its key: a plan that was made while
    the table was empty would compare every row sent with every row there is.
    """
    arrays = ", ".join(f"${n}::{type_}[]" for n, type_ in enumerate(types, 1))
    given = f"unnest({arrays}) AS g({', '.join(sent)})"
    named = " AND ".join(f"t.{column} = g.{column}" for column in key)
    same = " AND ".join(f"t.{column} = e.{column}" for column in key)
    columns = [*sent, *(column for column in stored if column not in sent)]
    values = ", ".join(stored.get(column, f"g.{column}") for column in columns)
    keys = ", ".join(f"t.{column}" for column in key)
    return f"""
        WITH ended AS (
            SELECT {keys}, t.from_position, min(g.from_position) AS position
            FROM {given}
            CROSS JOIN LATERAL (
                SELECT * FROM {table} AS t
                WHERE {named} AND t.to_position IS NULL
                    AND t.from_position < g.from_position
                ORDER BY t.from_position DESC LIMIT 1
            ) AS t
            GROUP BY {keys}, t.from_position
        ), closed AS (
            UPDATE {table} AS t SET to_position = e.position
            FROM ended AS e
            WHERE {same} AND t.from_position = e.from_position
            RETURNING 1
        ), gate AS MATERIALIZED (SELECT count(*) AS closed FROM closed)
        INSERT INTO {table} ({", ".join(columns)})
        SELECT {values} FROM {given}, gate WHERE gate.closed >= 0
        ON CONFLICT DO NOTHING
    """  # noqa: S608  names and types come from the code of a projection
