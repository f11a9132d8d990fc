"""What may change of messages that are there: metadata, and whether they are seen."""

from collections.abc import Sequence

import msgspec

from domain.fork import SessionForked
from domain.message import MessageMetadataChanged
from domain.recorded import Recorded
from domain.session import MessageAdded
from projections.columns import as_json
from projections.message_body import with_metadata
from projections.ports import Connection

TABLES = """
    CREATE TABLE former_metadata (
        tenant   text COLLATE "C" NOT NULL,
        session  text COLLATE "C" NOT NULL,
        id       text COLLATE "C" NOT NULL,
        position bigint NOT NULL,
        metadata jsonb NOT NULL,
        PRIMARY KEY (tenant, id, position)
    );
    CREATE TABLE forking (
        tenant   text COLLATE "C" NOT NULL,
        session  text COLLATE "C" NOT NULL,
        position bigint NOT NULL,
        PRIMARY KEY (tenant, session)
    );
"""
"""``former_metadata`` is what a message had until a position; ``forking`` the sessions
whose messages are still being copied, which no search sees."""

NAMES = ("former_metadata", "forking")

CHANGES = (MessageMetadataChanged, SessionForked)
"""The events that change messages beside those that add them."""


async def apply_changes(db: Connection, batch: Sequence[Recorded]) -> None:
    """Carry out the changes of a batch, whose messages are in their table."""
    hidden: set[tuple[str, str]] = set()
    for recorded in batch:
        match recorded.event:
            case MessageAdded() as event if event.copy_of is not None:
                named = (event.workspace, event.session)
                if named not in hidden:
                    hidden.add(named)
                    await db.execute(_HIDE, *named, recorded.position)
            case MessageMetadataChanged() as event:
                await _replace(db, recorded, event)
            case SessionForked() as event:
                named = (event.workspace, event.session)
                hidden.discard(named)
                await db.execute(_SHOW, *named, recorded.position)
            case _:
                pass


async def list_forking(db: Connection) -> list[tuple[str, str, int]]:
    """Return tenants and sessions that are copied in part, and since which position."""
    rows = await db.fetch("SELECT tenant, session, position FROM forking")
    return [(row["tenant"], row["session"], row["position"]) for row in rows]


async def _replace(
    db: Connection, recorded: Recorded, event: MessageMetadataChanged
) -> None:
    named = (event.workspace, event.session, event.id)
    row = await db.fetchrow(_FIND, *named)
    if row is None:
        return
    metadata = as_json(event.metadata)
    body = with_metadata(row["body"], msgspec.Raw(metadata.encode()))
    await db.execute(_KEEP, *named, recorded.position)
    await db.execute(_REPLACE, *named, metadata, body)


_HIDE = """
    INSERT INTO forking (tenant, session, position) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING
"""

_SHOW = """
    DELETE FROM forking WHERE tenant = $1 AND session = $2 AND position < $3
"""

_FIND = """
    SELECT body FROM message WHERE tenant = $1 AND session = $2 AND id = $3
"""

# What was kept at this position stays: the same event may come twice.
_KEEP = """
    INSERT INTO former_metadata (tenant, session, id, position, metadata)
    SELECT tenant, session, id, $4::bigint, metadata FROM message
    WHERE tenant = $1 AND session = $2 AND id = $3
    ON CONFLICT DO NOTHING
"""

_REPLACE = """
    UPDATE message SET metadata = $4::jsonb, body = $5
    WHERE tenant = $1 AND session = $2 AND id = $3
"""
