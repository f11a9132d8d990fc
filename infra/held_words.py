"""Finds words of memory in what is said; fulfils ``processors.ports.KnownWords``."""

from collections.abc import Sequence

from projections.held_words import find_held
from projections.ports import Database


class HeldWords:
    """What the views hold now."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(
        self, workspace: str, peers: Sequence[str], texts: Sequence[str]
    ) -> Sequence[tuple[str, str]]:
        """Return (observed peer, text) of what is held of these peers in such words."""
        if not texts:
            return ()
        async with self._database.acquire() as db:
            return await find_held(db, workspace, peers, texts)
