"""Deliveries to webhook endpoints: what waits, until when, and what came of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from domain.recorded import Recorded
from domain.webhook import (
    QueueType,
    WebhookAttemptFailed,
    WebhookDeleted,
    WebhookDelivered,
    WebhookFailed,
    WebhookKind,
    WebhookReplayRequested,
    WebhookRequested,
)
from projections.columns import as_utc
from projections.ports import Connection, Row


class WebhookDeliveries:
    """The table ``webhook_delivery``: one row for each delivery asked for.

    ``state`` is pending, delivered, failed, or dropped with its endpoint. ``story``
    is the one it belongs to, ``trace_parent`` what asked for it there, ``round`` the
    position of what asked for it last, ``folded`` of what was folded last.
    """

    name = "webhook_deliveries"
    version = 1
    tables = """
        CREATE TABLE webhook_delivery (
            tenant       text COLLATE "C" NOT NULL,
            id           text COLLATE "C" NOT NULL,
            endpoint     text COLLATE "C" NOT NULL,
            kind         text COLLATE "C" NOT NULL,
            queue_type   text,
            session      text COLLATE "C",
            observer     text COLLATE "C",
            observed     text COLLATE "C",
            requested_at timestamptz NOT NULL,
            state        text COLLATE "C" NOT NULL,
            attempts     integer NOT NULL,
            due_at       timestamptz,
            status       integer,
            error        text,
            story        uuid NOT NULL,
            trace_parent text COLLATE "C",
            round        bigint NOT NULL,
            folded       bigint NOT NULL,
            PRIMARY KEY (tenant, id)
        ) WITH (fillfactor = 70);
        CREATE INDEX webhook_delivery_due ON webhook_delivery (due_at)
            WHERE state = 'pending';
        CREATE INDEX webhook_delivery_endpoint ON webhook_delivery (tenant, endpoint)
            WHERE state = 'pending';
    """
    indexes = """
        CREATE INDEX webhook_delivery_requested
            ON webhook_delivery (tenant, requested_at);
    """
    handles = (
        WebhookRequested,
        WebhookAttemptFailed,
        WebhookDelivered,
        WebhookFailed,
        WebhookReplayRequested,
        WebhookDeleted,
    )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            await _apply(db, recorded)


async def _apply(db: Connection, recorded: Recorded) -> None:
    position = recorded.position
    match recorded.event:
        case WebhookRequested() as event:
            await db.execute(
                _ASK,
                event.workspace,
                event.delivery,
                event.endpoint,
                event.kind,
                event.queue_type,
                event.session,
                event.observer,
                event.observed,
                as_utc(event.requested_at),
                recorded.cause.correlation_id,
                position,
                recorded.cause.trace_parent,
            )
        case WebhookDeleted() as event:
            await db.execute(_DROP, event.workspace, event.id, position)
        case (
            WebhookAttemptFailed()
            | WebhookDelivered()
            | WebhookFailed()
            | WebhookReplayRequested() as event
        ):
            named = (event.workspace, event.delivery, position)
            await db.execute(_MOVE, *named, *_told(event, position))
        case _:
            pass


def _told(
    event: WebhookAttemptFailed
    | WebhookDelivered
    | WebhookFailed
    | WebhookReplayRequested,
    position: int,
) -> tuple[object, ...]:
    """Return attempts, state, when it is due, status, error and a new round."""
    match event:
        case WebhookAttemptFailed():
            due = as_utc(event.retry_at)
            return event.attempt, "pending", due, event.status, event.error, None
        case WebhookDelivered():
            return event.attempt, "delivered", None, event.status, None, None
        case WebhookFailed():
            return event.attempt, "failed", None, event.status, event.error, None
        case WebhookReplayRequested():
            return 0, "pending", as_utc(event.requested_at), None, None, position


_ASK = """
INSERT INTO webhook_delivery (
    tenant, id, endpoint, kind, queue_type, session, observer, observed,
    requested_at, state, attempts, due_at, story, round, folded, trace_parent
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', 0, $9, $10, $11, $11, $12)
ON CONFLICT DO NOTHING
"""

_MOVE = """
UPDATE webhook_delivery SET folded = $3, attempts = $4, state = $5, due_at = $6,
    status = $7, error = $8, round = coalesce($9, round)
WHERE tenant = $1 AND id = $2 AND folded < $3
"""

_DROP = """
UPDATE webhook_delivery SET folded = $3, state = 'dropped', due_at = NULL
WHERE tenant = $1 AND endpoint = $2 AND state = 'pending' AND folded < $3
"""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery as it stands; ``url`` is empty once its endpoint is gone."""

    workspace: str
    id: str
    endpoint: str
    url: str
    kind: WebhookKind
    queue_type: QueueType | None
    session: str | None
    observer: str | None
    observed: str | None
    requested_at: datetime
    state: str
    attempts: int
    due_at: datetime | None
    status: int | None
    error: str | None
    story: UUID
    round: int
    trace_parent: str | None = None


_COLUMNS = """
    d.tenant, d.id, d.endpoint, coalesce(w.url, '') AS url, d.kind, d.queue_type,
    d.session, d.observer, d.observed, d.requested_at, d.state, d.attempts,
    d.due_at, d.status, d.error, d.story, d.round, d.trace_parent
"""

_ROWS = """
    webhook_delivery AS d LEFT JOIN webhook AS w
        ON w.tenant = d.tenant AND w.id = d.endpoint AND w.to_position IS NULL
"""


async def due_deliveries(
    db: Connection, now: datetime, *, under_way: Collection[str], limits: "Slots"
) -> list[Delivery]:
    """Return what is due and not under way, oldest first, so many of an endpoint."""
    rows = await db.fetch(
        f"""
        SELECT * FROM (
            SELECT {_COLUMNS}, row_number() OVER (
                PARTITION BY d.tenant, d.endpoint ORDER BY d.due_at, d.round, d.id
            ) AS place
            FROM {_ROWS}
            WHERE d.state = 'pending' AND d.due_at <= $1
                AND d.endpoint <> ALL ($3) AND d.id <> ALL ($4)
        ) AS due WHERE place <= $5 ORDER BY due_at, round, id LIMIT $2
        """,  # noqa: S608  constants
        now,
        limits.free,
        list(limits.busy),
        list(under_way),
        limits.each,
    )
    return [_delivery(row) for row in rows]


class Slots(msgspec.Struct, frozen=True):
    """How many deliveries may begin: in all, of one endpoint, and whose none may."""

    free: int
    each: int
    busy: tuple[str, ...] = ()


async def next_due(db: Connection, now: datetime) -> datetime | None:
    """Return when the next delivery that is not due yet will be."""
    found: datetime | None = await db.fetchval(
        "SELECT min(due_at) FROM webhook_delivery"
        " WHERE state = 'pending' AND due_at > $1",
        now,
    )
    return found


async def list_deliveries(
    db: Connection, workspace: str | None, state: str | None, limit: int
) -> list[Delivery]:
    """Return the newest deliveries, newest first."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM {_ROWS}"  # noqa: S608  constants
        " WHERE ($1::text IS NULL OR d.tenant = $1)"
        " AND ($2::text IS NULL OR d.state = $2)"
        " ORDER BY d.requested_at DESC, d.id LIMIT $3",
        workspace,
        state,
        limit,
    )
    return [_delivery(row) for row in rows]


async def find_delivery(db: Connection, delivery: str) -> list[Delivery]:
    """Return the delivery of an id, in whatever workspace it is."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM {_ROWS} WHERE d.id = $1",  # noqa: S608  constants
        delivery,
    )
    return [_delivery(row) for row in rows]


async def count_deliveries(db: Connection) -> dict[str, int]:
    """Return how many deliveries are in each state; none before views are made."""
    if await db.fetchval("SELECT to_regclass('webhook_delivery')") is None:
        return {}
    rows = await db.fetch(
        "SELECT state, count(*) AS found FROM webhook_delivery GROUP BY state"
    )
    return {row["state"]: row["found"] for row in rows}


def _delivery(row: Row) -> Delivery:
    names = Delivery.__struct_fields__
    given = {name: row[name] for name in names if name != "workspace"}
    return Delivery(workspace=row["tenant"], **given)
