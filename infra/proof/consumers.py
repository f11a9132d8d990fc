"""Whoever follows the log, held against it: did they see the events it holds now?

Each keeps the position it came to and the id of the event there. After the log alone
was restored from an older backup, or another was put in its place, some are ahead of
it, or stand on an event that is not there.
"""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

import asyncpg
import msgspec

from infra.postgres.views import LIVE

_PROCESSORS: Final = """
SELECT DISTINCT ON (c.processor)
    'processor' AS kind, c.processor AS name, c.position, c.event, e.id AS found
FROM work.stand AS c LEFT JOIN log.event AS e ON e.position = c.position
WHERE c.position > 0 AND e.id IS DISTINCT FROM c.event
ORDER BY c.processor, c.position DESC
"""

_VIEWS: Final = f"""
SELECT 'projection' AS kind, c.projection AS name, c.position, c.event, e.id AS found
FROM {LIVE}.checkpoint AS c LEFT JOIN log.event AS e ON e.position = c.position
WHERE c.position > 0 AND e.id IS DISTINCT FROM c.event
"""  # noqa: S608  a constant

_HEAD: Final = "(SELECT coalesce(max(position), 0) FROM log.event) AS head"


class Diverged(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer that came to ``position`` by ``event``, where the log has ``found``.

    ``found`` is None where the log ends before, at ``head``, or has no event there.
    """

    kind: Literal["projection", "processor"]
    name: str
    position: int
    event: UUID | None
    found: UUID | None
    head: int

    def __str__(self) -> str:
        stands = f"{self.kind} {self.name} stands at position {self.position}, event"
        if self.found is None and self.position <= self.head:
            return f"{stands} {self.event}, where the log has none"
        if self.found is None:
            return f"{stands} {self.event}, but the log ends at {self.head}"
        return f"{stands} {self.event}, where the log has {self.found}"


async def diverged_processors(db: asyncpg.Pool | asyncpg.Connection) -> list[Diverged]:
    """Return the processors that reacted to another log than this."""
    return await _look(db, _PROCESSORS)


async def diverged_consumers(db: asyncpg.Pool | asyncpg.Connection) -> list[Diverged]:
    """Return the processors and the views that were fed from another log."""
    views = await db.fetchval("SELECT to_regclass($1)", f"{LIVE}.checkpoint")
    return await _look(
        db, _PROCESSORS if views is None else f"{_VIEWS} UNION ALL ({_PROCESSORS})"
    )


async def _look(
    db: asyncpg.Pool | asyncpg.Connection, statement: str
) -> list[Diverged]:
    rows: Sequence[asyncpg.Record] = await db.fetch(
        f"SELECT d.*, {_HEAD} FROM ({statement}) AS d ORDER BY d.kind, d.name"  # noqa: S608  constants
    )
    return [Diverged(**dict(row)) for row in rows]
