"""Webhook endpoints of workspaces, as they stand and as they stood."""

from collections.abc import Sequence

from domain.recorded import Recorded
from domain.webhook import WebhookCreated, WebhookDeleted
from projections.columns import as_utc
from projections.ports import Connection


class WebhookEndpoints:
    """The table ``webhook``: a row for each endpoint, closed where it was deleted."""

    name = "webhooks"
    version = 1
    tables = """
        CREATE TABLE webhook (
            tenant        text COLLATE "C" NOT NULL,
            id            text COLLATE "C" NOT NULL,
            url           text NOT NULL,
            created_at    timestamptz NOT NULL,
            from_position bigint NOT NULL,
            to_position   bigint,
            PRIMARY KEY (tenant, id)
        );
    """
    indexes = ""
    handles = (WebhookCreated, WebhookDeleted)

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            match recorded.event:
                case WebhookCreated() as event:
                    await db.execute(
                        "INSERT INTO webhook"
                        " (tenant, id, url, created_at, from_position)"
                        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                        event.workspace,
                        event.id,
                        event.url,
                        as_utc(event.created_at),
                        recorded.position,
                    )
                case WebhookDeleted() as event:
                    await db.execute(
                        "UPDATE webhook SET to_position = $3 WHERE tenant = $1"
                        " AND id = $2 AND to_position IS NULL AND from_position < $3",
                        event.workspace,
                        event.id,
                        recorded.position,
                    )
                case _:
                    pass
