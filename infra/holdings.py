"""Takes out of every store what is to be erased; fulfils ``processors.ports``."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from commands.erasure import Bereft
from domain.names import Stream
from domain.question import QuestionAnswered, answer_seal
from infra.looking_ahead import look_ahead
from infra.postgres.connection import LOST
from infra.postgres.log import PostgresLog
from infra.views_stopped import views_stopped
from processors.language_model import Unavailable
from projections.bereft import find_bereft, find_quotable, find_quoted
from projections.ports import Connection, Database, Views
from projections.registry import PROMPT

_FOLDED_WITHIN: Final = 10.0
"""Seconds to wait for the views before another try."""


class StoredHoldings:
    """The log's tables, the data keys, and the views that tell what rests on what."""

    def __init__(
        self, log: PostgresLog, database: Database, views: Views, dsn: str
    ) -> None:
        self._log = log
        self._database = database
        self._views = views
        self._dsn = dsn

    async def head(self) -> int:
        async with _reached("the log"):
            return await self._log.store.head()

    async def bereft(self, workspace: str, session: str) -> Sequence[Bereft]:
        """Return what rests on a session alone, once the views know all of it.

        Views that a damaged event keeps are asked as they would be without it.
        """
        async with self._views_at(await self.head()) as db:
            found = await find_bereft(db, workspace, session)
        return [
            Bereft(
                id=each.origin,
                session=each.session,
                observer=each.observer,
                observed=each.observed,
            )
            for each in found
        ]

    async def forget_answers(self, workspace: str, session: str) -> None:
        async with self._views_at(await self.head()) as db:
            cited = await find_quotable(db, workspace, session)
        async with _reached("the log"):
            answers = await self._log.remains.answers_citing(workspace, cited)
        await self._forget(workspace, answers)

    async def forget_answer(self, workspace: str, question: str) -> None:
        await self._forget(workspace, [question])

    async def quoted(
        self, position: int, answered: QuestionAnswered
    ) -> Sequence[str] | None:
        messages, conclusions = answered.told_of
        if not (messages or conclusions):
            return []
        async with self._views_at(position) as db:
            return await find_quoted(db, answered.workspace, messages, conclusions)

    @asynccontextmanager
    async def _views_at(self, position: int) -> AsyncIterator[Connection]:
        """Lend views that know all there was up to a position, and can be read."""
        if await self._views.wait_for(position, _FOLDED_WITHIN):
            async with _reached("the views"), self._database.acquire() as db:
                yield db
            return
        at = [self._views.position]
        if await views_stopped(self._log.store, at) is None:
            raise Unavailable("the views")
        log = self._log.by_shards()
        async with (
            _reached("the views"),
            look_ahead(self._dsn, log, PROMPT, position) as db,
        ):
            yield db

    async def _forget(self, workspace: str, answers: Sequence[str]) -> None:
        async with _reached("the keys"):
            seals = [answer_seal(each) for each in answers]
            await self._log.keys.destroy(workspace, subjects=seals)

    async def destroy_keys(self, workspace: str, session: str | None) -> None:
        async with _reached("the keys"):
            await self._log.keys.destroy(workspace, session=session)
        async with _reached("the log"):
            await self._log.calls.forget(workspace, session)

    async def forget_vectors(
        self, workspace: str, session: str | None, conclusions: Sequence[str]
    ) -> None:
        async with _reached("the log"):
            await self._log.remains.forget_vectors(workspace, session, conclusions)

    async def unpark(self, workspace: str, session: str | None) -> None:
        async with _reached("the log"):
            await self._log.remains.unpark(workspace, session)

    async def streams_of_session(
        self, workspace: str, session: str
    ) -> Sequence[Stream]:
        async with _reached("the log"):
            return await self._log.remains.streams_of_session(workspace, session)

    async def streams_of_workspace(
        self, workspace: str, through: int
    ) -> Mapping[Stream, int]:
        async with _reached("the log"):
            return await self._log.remains.streams_of_workspace(workspace, through)


@asynccontextmanager
async def _reached(what: str) -> AsyncIterator[None]:
    """Tell a database that is away from one that refuses: the first is waited for."""
    try:
        yield
    except (*LOST, asyncpg.InterfaceError) as lost:
        raise Unavailable(what) from lost
