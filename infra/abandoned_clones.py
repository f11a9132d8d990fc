"""Deletes what a clone copied that broke off and that nobody will carry on."""

import logging
from datetime import timedelta
from typing import Final

from commands.decide import Decide
from commands.deletion import abandon_clone
from commands.ports import Clock
from infra.codec.errors import Unreadable
from infra.postgres.event_store import PostgresEventStore
from projections.message_changes import list_forking
from projections.ports import Database

_LOG: Final = logging.getLogger("palimpsest.sweep")


class AbandonedClones:
    """Sessions that were copied in part, are shown nowhere and have no name yet."""

    def __init__(
        self,
        store: PostgresEventStore,
        database: Database,
        decide: Decide,
        clock: Clock,
    ) -> None:
        self._store = store
        self._database = database
        self._decide = decide
        self._clock = clock

    async def give_up(self, days: int) -> int:
        """Delete those begun more than ``days`` ago; return how many.

        Until then who repeats the request under its Idempotency-Key carries it on.
        They are erased as every deleted session is.
        """
        async with self._database.acquire() as db:
            forking = await list_forking(db)
        given_up = 0
        for each in forking:
            try:
                given_up += await self._give_up(*each, timedelta(days=days))
            except Unreadable as damaged:  # the others go all the same
                _LOG.warning("a clone that broke off cannot be read: %s", damaged)
        return given_up

    async def _give_up(
        self, tenant: str, session: str, position: int, after: timedelta
    ) -> bool:
        [first] = await self._store.read_log(after=position - 1, limit=1)
        now = self._clock()
        if now - first.recorded_at <= after:
            return False
        return await abandon_clone(self._decide, (tenant, session), now)
