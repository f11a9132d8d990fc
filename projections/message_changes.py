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
        body     bytea NOT NULL,
        PRIMARY KEY (tenant, session, id, position)
    );
    CREATE TABLE forking (
        tenant        text COLLATE "C" NOT NULL,
        session       text COLLATE "C" NOT NULL,
        from_position bigint NOT NULL,
        to_position   bigint,
        PRIMARY KEY (tenant, session, from_position)
    );
"""
"""``former_metadata`` is what a message had until a position, and its JSON then;
``forking`` when the messages of a session were being copied, which no search sees."""

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
    rows = await db.fetch(
        "SELECT tenant, session, from_position FROM forking WHERE to_position IS NULL"
    )
    return [(row["tenant"], row["session"], row["from_position"]) for row in rows]


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


# What was copied before within the same copying, or comes again, changes nothing.
_HIDE = """
    INSERT INTO forking (tenant, session, from_position)
    SELECT $1, $2, $3::bigint WHERE NOT EXISTS (
        SELECT FROM forking AS f
        WHERE f.tenant = $1 AND f.session = $2 AND f.from_position <= $3
            AND (f.to_position IS NULL OR f.to_position > $3))
"""

_SHOW = """
    UPDATE forking SET to_position = $3
    WHERE tenant = $1 AND session = $2 AND to_position IS NULL AND from_position < $3
"""

_FIND = """
    SELECT body FROM message WHERE tenant = $1 AND session = $2 AND id = $3
"""

# What was kept at this position stays: the same event may come twice.
_KEEP = """
    INSERT INTO former_metadata (tenant, session, id, position, metadata, body)
    SELECT tenant, session, id, $4::bigint, metadata, body FROM message
    WHERE tenant = $1 AND session = $2 AND id = $3
    ON CONFLICT DO NOTHING
"""

_REPLACE = """
    UPDATE message SET metadata = $4::jsonb, body = $5
    WHERE tenant = $1 AND session = $2 AND id = $3
"""
