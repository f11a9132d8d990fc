"""Peers, as they stand and as they stood."""

from collections.abc import Sequence

from domain.peer import SCOPE_CONFIGURATION, PeerConfigured, PeerCreated
from domain.recorded import Recorded
from domain.scope import ScopeCreated
from projections.columns import as_json, as_utc
from projections.intervals import Intervals, Values
from projections.ports import Connection


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
        CREATE INDEX peer_age ON peer (tenant, created_at, uid)
            WHERE to_position IS NULL;
        CREATE INDEX peer_metadata ON peer USING gin (metadata jsonb_path_ops)
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
