"""Dreams that were asked for, and when they ended."""

from collections.abc import Sequence

import msgspec

from domain.dream import DreamCompleted, DreamScheduled
from domain.recorded import Recorded
from projections.columns import as_utc
from projections.ports import Connection


class DreamJobs:
    """The table ``dream``: a row for each dream, done from ``done_position`` on."""

    name = "dreams"
    version = 1
    tables = """
        CREATE TABLE dream (
            tenant        text COLLATE "C" NOT NULL,
            id            text COLLATE "C" NOT NULL,
            observer      text COLLATE "C" NOT NULL,
            observed      text COLLATE "C" NOT NULL,
            kind          text COLLATE "C" NOT NULL,
            scheduled_at  timestamptz NOT NULL,
            reason        text,
            from_position bigint NOT NULL,
            done_position bigint,
            PRIMARY KEY (tenant, id)
        );
    """
    indexes = "CREATE INDEX dream_observer ON dream (tenant, observer);"
    handles = (DreamScheduled, DreamCompleted)

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            match recorded.event:
                case DreamScheduled() as event:
                    await db.execute(
                        _OPEN,
                        event.workspace,
                        event.id,
                        event.observer,
                        event.observed,
                        event.kind,
                        as_utc(event.scheduled_at),
                        recorded.position,
                    )
                case DreamCompleted() as event:
                    await db.execute(
                        _CLOSE,
                        event.workspace,
                        event.id,
                        recorded.position,
                        event.reason,
                    )
                case _:
                    pass


class DreamCount(msgspec.Struct, frozen=True):
    """Dreams asked for, and those that ended."""

    total: int
    completed: int


async def count_dreams(
    db: Connection, tenant: str, observer: str | None = None
) -> DreamCount:
    """Count the dreams of a workspace, or of one observer in it (HC E06)."""
    row = await db.fetchrow(
        "SELECT count(*), count(done_position) FROM dream WHERE tenant = $1"
        " AND ($2::text IS NULL OR observer = $2)",
        tenant,
        observer,
    )
    return DreamCount(row[0], row[1]) if row is not None else DreamCount(0, 0)


_OPEN = """
    INSERT INTO dream (tenant, id, observer, observed, kind, scheduled_at,
        from_position)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
"""

_CLOSE = """
    UPDATE dream SET done_position = $3, reason = $4
    WHERE tenant = $1 AND id = $2 AND from_position < $3 AND done_position IS NULL
"""
