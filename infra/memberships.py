"""Tells from the views who is an active member of which sessions."""

from collections.abc import Sequence

from projections.members import takes_part_in_all
from projections.ports import Database


class Memberships:
    """What the gate asks about peers' keys (HC 4.3).

    A deleted session keeps its members until it is purged, so they still read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def are_active(
        self, workspace: str, peer: str, sessions: Sequence[str]
    ) -> bool:
        """Tell whether a peer is an active member of each of these sessions."""
        wanted = set(sessions)
        if any("\x00" in name for name in (workspace, peer, *wanted)):
            return False  # nothing is named so
        async with self._database.acquire() as db:
            return await takes_part_in_all(db, workspace, peer, wanted)
