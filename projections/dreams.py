"""Dreams that are to come, run and are over."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from domain.dream import (
    DreamCancelled,
    DreamCompleted,
    DreamFailed,
    DreamScheduled,
    DreamStarted,
    SpecialistCompleted,
)
from domain.recorded import Recorded
from projections.columns import as_json, as_utc
from projections.ports import Connection


class DreamJobs:
    """The table ``dream``: a row for each dream, done from ``done_position`` on.

    ``state`` is waiting, running, failed, completed, cancelled or given-up; ``reason``
    says why it is empty, failed or was cancelled. ``due_at`` is when it may begin,
    again after a failure. ``counted`` tells work that is asked for or begun from what
    only waits for its time (HC E06). ``told`` are the specialists who are done, as
    their events say it.
    """

    name = "dreams"
    version = 2
    tables = """
        CREATE TABLE dream (
            tenant        text COLLATE "C" NOT NULL,
            id            text COLLATE "C" NOT NULL,
            observer      text COLLATE "C" NOT NULL,
            observed      text COLLATE "C" NOT NULL,
            kind          text COLLATE "C" NOT NULL,
            trigger       text COLLATE "C" NOT NULL,
            scheduled_at  timestamptz NOT NULL,
            due_at        timestamptz NOT NULL,
            state         text COLLATE "C" NOT NULL,
            attempt       integer NOT NULL,
            counted       boolean NOT NULL,
            reason        text,
            changes       integer NOT NULL,
            told          jsonb NOT NULL,
            from_position bigint NOT NULL,
            at_position   bigint NOT NULL,
            done_position bigint,
            PRIMARY KEY (tenant, id)
        );
    """
    indexes = """
        CREATE INDEX dream_observer ON dream (tenant, observer);
        CREATE INDEX dream_due ON dream (due_at) WHERE done_position IS NULL;
    """
    handles = (
        DreamScheduled,
        DreamCancelled,
        DreamStarted,
        SpecialistCompleted,
        DreamCompleted,
        DreamFailed,
    )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            event = recorded.event
            if isinstance(event, DreamScheduled):
                await db.execute(_OPEN, *_opened(event, recorded.position))
            elif isinstance(event, SpecialistCompleted):
                told = as_json([msgspec.to_builtins(event)])
                at = (event.workspace, event.id, recorded.position)
                await db.execute(_TELL, *at, told)
            else:
                await db.execute(_MOVE, *_moved(recorded))


def _opened(event: DreamScheduled, position: int) -> tuple[Any, ...]:
    return (
        event.workspace,
        event.id,
        event.observer,
        event.observed,
        event.kind,
        event.trigger,
        as_utc(event.scheduled_at),
        as_utc(event.due_at or event.scheduled_at),
        event.trigger == "asked",
        position,
    )


def _moved(recorded: Recorded) -> tuple[Any, ...]:
    """Return what an event makes of a dream; None leaves what there is.

    That is state, attempt, whether it counts, reason, changes, time and end.
    """
    match event := recorded.event:
        case DreamStarted():
            to: tuple[Any, ...] = ("running", event.attempt, True, None, None, None)
        case DreamFailed(retry_at=None):
            to = ("given-up", event.attempt, True, event.error, None, None)
        case DreamFailed():
            retry = event.retry_at and as_utc(event.retry_at)
            to = ("failed", event.attempt, True, event.error, None, retry)
        case DreamCompleted():
            to = ("completed", None, True, event.reason, event.changes, None)
        case DreamCancelled():
            to = ("cancelled", None, False, event.reason, None, None)
        case _:
            raise AssertionError(event)
    over = to[0] in {"given-up", "completed", "cancelled"}
    return (event.workspace, event.id, recorded.position, *to, over)


class DreamCount(msgspec.Struct, frozen=True):
    """Dreams asked for or begun, those that ended, and those that run."""

    total: int
    completed: int
    running: int = 0


async def count_dreams(
    db: Connection, tenant: str, observer: str | None = None
) -> DreamCount:
    """Count the dreams of a workspace, or of one observer in it (HC E06).

    What waits for its time is no work yet.
    """
    row = await db.fetchrow(
        "SELECT count(*), count(done_position),"
        " count(*) FILTER (WHERE state = 'running') FROM dream"
        " WHERE tenant = $1 AND counted AND ($2::text IS NULL OR observer = $2)",
        tenant,
        observer,
    )
    return DreamCount(row[0], row[1], row[2]) if row is not None else DreamCount(0, 0)


async def count_states(db: Connection) -> dict[str, int]:
    """Count by their state the dreams that are not over, and those given up."""
    rows = await db.fetch(
        "SELECT state, count(*) AS dreams FROM dream"
        " WHERE done_position IS NULL OR state = 'given-up'"
        " GROUP BY state ORDER BY state"
    )
    return {row["state"]: row["dreams"] for row in rows}


class DueDream(msgspec.Struct, frozen=True):
    """A dream that may begin, or go on; ``position`` is where it was scheduled."""

    tenant: str
    id: str
    position: int


async def find_due_dreams(
    db: Connection, now: datetime, passed_over: Sequence[str], most: int
) -> list[DueDream]:
    """Return dreams that are due, the longest waiting first, but those passed over."""
    rows = await db.fetch(_DUE, now, list(passed_over), most)
    return [DueDream(row["tenant"], row["id"], row["from_position"]) for row in rows]


class DreamTold(msgspec.Struct, frozen=True, kw_only=True):
    """A dream as it stands; columns as in the table; ``workspace`` is its tenant."""

    workspace: str
    id: str
    observer: str
    observed: str
    kind: str
    trigger: str
    scheduled_at: datetime
    due_at: datetime
    state: str
    attempt: int
    reason: str | None
    changes: int
    told: list[SpecialistCompleted]


async def list_dreams(
    db: Connection,
    tenant: str | None,
    pair: tuple[str | None, str | None],
    limit: int,
) -> list[DreamTold]:
    """Return the newest dreams anywhere, of a workspace, an observer or an observed."""
    rows = await db.fetch(
        "SELECT *, tenant AS workspace, told::text AS written FROM dream"
        " WHERE ($1::text IS NULL OR tenant = $1)"
        " AND ($2::text IS NULL OR observer = $2)"
        " AND ($3::text IS NULL OR observed = $3)"
        " ORDER BY from_position DESC LIMIT $4",
        tenant,
        *pair,
        limit,
    )
    names = [name for name in DreamTold.__struct_fields__ if name != "told"]
    return [
        DreamTold(
            **{name: row[name] for name in names},
            told=msgspec.json.decode(row["written"], type=list[SpecialistCompleted]),
        )
        for row in rows
    ]


_OPEN: Final = """
    INSERT INTO dream (tenant, id, observer, observed, kind, trigger, scheduled_at,
        due_at, counted, from_position, at_position, state, attempt, changes, told)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, 'waiting', 0, 0, '[]')
    ON CONFLICT DO NOTHING
"""

_MOVE: Final = """
    UPDATE dream SET at_position = $3, state = $4, attempt = coalesce($5, attempt),
        counted = $6, reason = $7, changes = coalesce($8, changes),
        due_at = coalesce($9, due_at), done_position = CASE WHEN $10 THEN $3 END
    WHERE tenant = $1 AND id = $2 AND at_position < $3 AND done_position IS NULL
"""

_TELL: Final = """
    UPDATE dream SET at_position = $3, told = told || $4::jsonb
    WHERE tenant = $1 AND id = $2 AND at_position < $3 AND done_position IS NULL
"""

_DUE: Final = """
    SELECT tenant, id, from_position FROM dream
    WHERE done_position IS NULL AND due_at <= $1 AND NOT id = ANY ($2::text[])
    ORDER BY due_at, from_position LIMIT $3
"""
