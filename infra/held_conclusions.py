"""Finds in the views who holds a conclusion, and where it is from."""

from typing import Final

from commands.ports import Held
from projections.ports import Database

_NEWEST: Final = """
SELECT id, origin, session, observer, observed, level, named, to_position
FROM conclusion
WHERE tenant = $1 AND id = $2 ORDER BY from_position DESC LIMIT 1
"""


class HeldConclusions:
    """Fulfils ``commands.ports.FindHeld``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, workspace: str, conclusion: str) -> Held | None:
        """Return it as it stands or last stood, None if there never was one."""
        if "\x00" in workspace + conclusion:
            return None  # nothing is named so
        async with self._database.acquire() as db:
            row = await db.fetchrow(_NEWEST, workspace, conclusion)
        if row is None:
            return None
        return Held(
            id=row["id"],
            origin=row["origin"],
            session=row["session"],
            observer=row["observer"],
            observed=row["observed"],
            gone=row["to_position"] is not None,
            level=row["level"],
            named=row["named"],
        )
