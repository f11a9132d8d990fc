"""Tells from the views whether a workspace has active sessions."""

from projections.ports import Database
from projections.sessions import has_active_sessions


class ActiveSessions:
    """Fulfils ``commands.ports.ActiveSessions``: whoever deleted a session waited."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def any(self, workspace: str) -> bool:
        """Return True if a session of the workspace is active."""
        if "\x00" in workspace:
            return False  # nothing is named so
        async with self._database.acquire() as db:
            return await has_active_sessions(db, workspace)
