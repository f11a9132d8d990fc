"""Peers, as they stand and as they stood."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.peer import SCOPE_CONFIGURATION, PeerConfigured, PeerCreated
from domain.recorded import Recorded
from domain.scope import ScopeCreated
from projections.columns import as_json, as_utc
from projections.intervals import Intervals, Values
from projections.page import AS_OF, Page, Window
from projections.ports import Connection, Row


class Peers:
    """The table ``peer``: one row for each state a peer was in; scopes are peers."""

    name = "peers"
    version = 2
    tables = """
        CREATE TABLE peer (
            tenant        text COLLATE "C" NOT NULL,
            peer          text COLLATE "C" NOT NULL,
            is_scope      boolean NOT NULL,
            uid           text COLLATE "C" NOT NULL,
            metadata      jsonb NOT NULL,
            configuration jsonb NOT NULL,
            created_at    timestamptz NOT NULL,
            from_position bigint NOT NULL,
            to_position   bigint,
            PRIMARY KEY (tenant, peer, from_position)
        );
    """
    indexes = """
        CREATE UNIQUE INDEX peer_current ON peer (tenant, peer)
            WHERE to_position IS NULL;
    """
    handles = (PeerCreated, PeerConfigured, ScopeCreated)

    def __init__(self) -> None:
        self._rows = Intervals(
            "peer",
            key={"tenant": "text", "peer": "text"},
            values={
                "is_scope": "boolean",
                "uid": "text",
                "metadata": "jsonb",
                "configuration": "jsonb",
                "created_at": "timestamptz",
            },
            births=(PeerCreated, ScopeCreated),
        )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        key = {"tenant": "workspace", "peer": "peer"}
        await self._rows.fold(db, batch, key, _step)


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """One peer; ``id`` is the public name, ``uid`` the opaque one."""

    id: str
    uid: str
    workspace: str
    metadata: dict[str, Any]
    configuration: dict[str, Any]
    created_at: datetime


_COLUMNS = "tenant, peer, uid, metadata, configuration, created_at"


async def list_peers(db: Connection, tenant: str, window: Window) -> Page[Peer]:
    """Return a workspace's peers by the time they were created."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM peer WHERE {AS_OF} AND tenant = $2"  # noqa: S608  constants
        f" ORDER BY created_at {window.direction}, uid {window.direction}"
        " LIMIT $3 OFFSET $4",
        window.as_of,
        tenant,
        window.limit,
        window.offset,
    )
    total = await db.fetchval(
        f"SELECT count(*) FROM peer WHERE {AS_OF} AND tenant = $2",  # noqa: S608  constants
        window.as_of,
        tenant,
    )
    return Page([peer_of(row) for row in rows], total)


def peer_of(row: Row) -> Peer:
    """Read a peer from a row with all columns of the table but the positions."""
    return Peer(
        id=row["peer"],
        uid=row["uid"],
        workspace=row["tenant"],
        metadata=msgspec.json.decode(row["metadata"]),
        configuration=msgspec.json.decode(row["configuration"]),
        created_at=row["created_at"],
    )


def _step(before: Values | None, recorded: Recorded) -> Values | None:
    match recorded.event:
        case PeerCreated() as event:
            return {
                "is_scope": False,
                "uid": event.uid,
                "metadata": as_json(event.metadata),
                "configuration": as_json(event.configuration),
                "created_at": as_utc(event.created_at),
            }
        case ScopeCreated() as event:
            return {
                "is_scope": True,
                "uid": event.uid,
                "metadata": as_json(event.metadata),
                "configuration": as_json(SCOPE_CONFIGURATION),
                "created_at": as_utc(event.created_at),
            }
        case PeerConfigured() as event if before is not None:
            return {
                **before,
                "metadata": as_json(event.metadata),
                "configuration": as_json(event.configuration),
            }
        case _:
            return None
