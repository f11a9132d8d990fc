"""How each resource is listed and by what it may be filtered (HC 1.10, 3.3, 3.4).

Whoever reads interval tables adds the moment they are read at.
"""

from typing import get_args

from domain.conclusion import Level
from projections.message_rows import message_rows
from read_api.answers import CONCLUSION, MESSAGE, PEER, SESSION, WORKSPACE
from read_api.filter_columns import Column
from read_api.filters import Filterable
from read_api.pages import Listing, table

WORKSPACES = Listing(WORKSPACE, table("workspace AS w"), ("w.created_at", "w.uid"))
PEERS = Listing(PEER, table("peer AS p"), ("p.created_at", "p.uid"))
SESSIONS = Listing(SESSION, table("session AS s"), ("s.created_at", "s.uid"))
CONCLUSIONS = Listing(
    CONCLUSION, table("conclusion AS c"), ("c.created_at", "c.born", "c.id")
)


def messages_at(as_of: int) -> Listing:
    """Return how messages are listed as they were at a position."""
    return Listing(MESSAGE, message_rows(as_of), ("m.seq",))


_SYNC_STATES = ("pending", "synced", "failed")

WORKSPACE_FILTERS = Filterable(
    "Workspace",
    {
        "id": Column("w.tenant"),
        "created_at": Column("w.created_at", "datetime"),
        "metadata": Column("w.metadata", "json"),
    },
)

PEER_FILTERS = Filterable(
    "Peer",
    {
        "id": Column("p.peer"),
        "workspace_id": Column("p.tenant"),
        "created_at": Column("p.created_at", "datetime"),
        "metadata": Column("p.metadata", "json"),
    },
)

SESSION_FILTERS = Filterable(
    "Session",
    {
        "id": Column("s.session"),
        "workspace_id": Column("s.tenant"),
        "is_active": Column("s.is_active", "boolean"),
        "created_at": Column("s.created_at", "datetime"),
        "metadata": Column("s.metadata", "json"),
    },
)

MESSAGE_FILTERS = Filterable(
    "Message",
    {
        "workspace_id": Column("m.tenant"),
        "session_id": Column("m.session"),
        "peer_id": Column("m.peer"),
        "token_count": Column("m.tokens", "number"),
        "created_at": Column("m.created_at", "datetime"),
        "metadata": Column("m.metadata", "json"),
    },
)

CONCLUSION_FILTERS = Filterable(
    "Document",
    {
        "id": Column("c.id"),
        "content": Column("c.content"),
        "level": Column("c.level", "enum", get_args(Level)),
        "times_derived": Column("c.times_derived", "number"),
        "observer": Column("c.observer"),
        "observer_id": Column("c.observer"),
        "observed": Column("c.observed"),
        "observed_id": Column("c.observed"),
        "session_id": Column("c.session"),
        "session_name": Column("c.session"),
        "workspace_id": Column("c.tenant"),
        "workspace_name": Column("c.tenant"),
        "created_at": Column("c.created_at", "datetime"),
        "source_ids": Column("c.sources", "ids"),
        # Listed is what is held: never deleted, its vector ours to keep in step.
        "deleted_at": Column("NULL::timestamptz", "datetime"),
        "sync_state": Column("'synced'::text", "enum", _SYNC_STATES),
        # Clients cannot set any.
        "metadata": Column("'{}'::jsonb", "json"),
        "internal_metadata": Column("'{}'::jsonb", "json"),
    },
    opaque=frozenset({"embedding"}),
)
