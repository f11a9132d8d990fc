"""Lets a session's derivation go on that waits to be tried again."""

import asyncpg

from domain.names import session_stream
from infra.parking import Parking
from processors.derive_conclusions import DeriveConclusions


class WokenDerivation:
    """Fulfils ``commands.ports.WakeDerivation`` over the processors' tables."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._parking = Parking(pool)

    async def __call__(self, workspace: str, session: str) -> None:
        """Have the session's key tried at once, as if for the first time."""
        key = session_stream(workspace, session).ordering_key
        await self._parking.retry(DeriveConclusions.name, key)
