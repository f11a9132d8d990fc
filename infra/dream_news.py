"""Tells from the views what is new in collections; fulfils ``DreamNews``."""

from collections.abc import Sequence
from typing import Final

from commands.ports import Overloaded, Views
from domain.scope import peer_of_scope
from infra.postgres.log import PostgresLog
from processors.dream_news import News, Pair
from projections.news import (
    count_news,
    pairs_holding,
    pairs_of_scope,
    scope_has_moved,
)
from projections.ports import Database

_FOLDED_WITHIN: Final = 10.0
"""Seconds to wait for the views to know all there is."""


class StoredNews:
    """The views, once they have passed the log's head."""

    def __init__(self, log: PostgresLog, database: Database, views: Views) -> None:
        self._log = log
        self._database = database
        self._views = views

    async def head(self) -> int:
        """Return the log's head, once the views have passed it."""
        head = await self._log.store.head()
        if not await self._views.wait_for(head, _FOLDED_WITHIN):
            raise Overloaded(retry_after=1.0)
        return head

    async def since(self, pair: Pair, position: int) -> News:
        """See the port."""
        await self.head()
        async with self._database.acquire() as db:
            found = await count_news(db, pair, position)
        return News(found.count, found.newest, found.session)

    async def pairs_holding(
        self, workspace: str, conclusions: Sequence[str]
    ) -> Sequence[Pair]:
        """See the port."""
        await self.head()
        async with self._database.acquire() as db:
            found = await pairs_holding(db, workspace, conclusions)
        return [(workspace, *each) for each in found]

    async def scope_has_moved(self, pair: Pair, position: int) -> bool:
        """See the port."""
        await self.head()
        async with self._database.acquire() as db:
            return await scope_has_moved(db, pair, position)

    async def pairs_of_scope(
        self, workspace: str, scope: str, sessions: Sequence[str]
    ) -> Sequence[Pair]:
        """See the port."""
        await self.head()
        async with self._database.acquire() as db:
            found = await pairs_of_scope(db, workspace, peer_of_scope(scope), sessions)
        return [(workspace, *each) for each in found]
