"""Messages found in the view that every write waits for."""

import msgspec

from commands.ports import StoredMessage
from projections.ports import Database

_FIND = """
    SELECT id, peer, content, metadata, created_at, tokens FROM message
    WHERE tenant = $1 AND session = $2 AND id = $3
"""


class FoundMessages:
    """Fulfils ``commands.ports.FindMessage``.

    Whatever was said before a request came is in the view: its write waited for it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(
        self, workspace: str, session: str, message: str
    ) -> StoredMessage | None:
        """Return a message of a session by its id, None if there is none."""
        if "\x00" in workspace + session + message:
            return None  # nothing is named so
        async with self._database.acquire() as db:
            row = await db.fetchrow(_FIND, workspace, session, message)
        if row is None:
            return None
        return StoredMessage(
            id=row["id"],
            author=row["peer"],
            content=row["content"],
            metadata=msgspec.json.decode(row["metadata"]),
            created_at=row["created_at"],
            tokens=row["tokens"],
        )
