"""Workspaces, as they stand and as they stood."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.recorded import Recorded
from domain.workspace import WorkspaceConfigured, WorkspaceCreated
from projections.as_of import NOW, holding
from projections.columns import as_json, as_utc
from projections.condition import Bind
from projections.intervals import Intervals, Values
from projections.ports import Connection, Row


class Workspaces:
    """The table ``workspace``: one row for each state a workspace was in."""

    name = "workspaces"
    version = 2
    tables = """
        CREATE TABLE workspace (
            tenant        text COLLATE "C" NOT NULL,
            uid           text COLLATE "C" NOT NULL,
            metadata      jsonb NOT NULL,
            configuration jsonb NOT NULL,
            created_at    timestamptz NOT NULL,
            from_position bigint NOT NULL,
            to_position   bigint,
            PRIMARY KEY (tenant, from_position)
        );
    """
    indexes = """
        CREATE UNIQUE INDEX workspace_current ON workspace (tenant)
            WHERE to_position IS NULL;
        CREATE INDEX workspace_age ON workspace (created_at, uid)
            WHERE to_position IS NULL;
    """
    handles = (WorkspaceCreated, WorkspaceConfigured)

    def __init__(self) -> None:
        self._rows = Intervals(
            "workspace",
            key={"tenant": "text"},
            values={
                "uid": "text",
                "metadata": "jsonb",
                "configuration": "jsonb",
                "created_at": "timestamptz",
            },
            births=(WorkspaceCreated,),
        )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        await self._rows.fold(db, batch, {"tenant": "workspace"}, _step)


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """One workspace; ``id`` is the public name, ``uid`` the opaque one."""

    id: str
    uid: str
    metadata: dict[str, Any]
    configuration: dict[str, Any]
    created_at: datetime


_COLUMNS = "tenant, uid, metadata, configuration, created_at"


async def get_workspace(
    db: Connection, tenant: str, as_of: int = NOW
) -> Workspace | None:
    """Return a workspace as it stood at a position, None if there was none."""
    bind = Bind(tenant)
    row = await db.fetchrow(
        f"SELECT {_COLUMNS} FROM workspace"  # noqa: S608  every value is bound
        f" WHERE tenant = $1 AND {holding(as_of)(bind)}",
        *bind.values,
    )
    return _workspace(row) if row is not None else None


def _step(before: Values | None, recorded: Recorded) -> Values | None:
    match recorded.event:
        case WorkspaceCreated() as event:
            return {
                "uid": event.uid,
                "metadata": as_json(event.metadata),
                "configuration": as_json(event.configuration),
                "created_at": as_utc(event.created_at),
            }
        case WorkspaceConfigured() as event if before is not None:
            return {
                **before,
                "metadata": as_json(event.metadata),
                "configuration": as_json(event.configuration),
            }
        case _:
            return None


def _workspace(row: Row) -> Workspace:
    return Workspace(
        id=row["tenant"],
        uid=row["uid"],
        metadata=msgspec.json.decode(row["metadata"]),
        configuration=msgspec.json.decode(row["configuration"]),
        created_at=row["created_at"],
    )
