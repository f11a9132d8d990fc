"""Deletes what a clone copied that broke off and that nobody will carry on."""

from datetime import timedelta

from commands.decide import Decide
from commands.deletion import abandon_clone
from commands.ports import Clock
from infra.postgres.event_store import PostgresEventStore
from projections.message_changes import list_forking
from projections.ports import Database


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
        for tenant, session, position in forking:
            [first] = await self._store.read_log(after=position - 1, limit=1)
            now = self._clock()
            if now - first.recorded_at > timedelta(days=days):
                named = (tenant, session)
                given_up += await abandon_clone(self._decide, named, now)
        return given_up
