"""Takes out of every store what is to be erased; fulfils ``processors.ports``."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from commands.erasure import Bereft
from domain.names import Stream
from domain.question import QuestionAnswered, answer_seal
from infra.postgres.connection import LOST
from infra.postgres.log import PostgresLog
from processors.language_model import Unavailable
from projections.bereft import find_bereft, find_quotable, find_quoted
from projections.ports import Database, Views

_FOLDED_WITHIN: Final = 10.0
"""Seconds to wait for the views before another try."""


class StoredHoldings:
    """The log's tables, the data keys, and the views that tell what rests on what."""

    def __init__(self, log: PostgresLog, database: Database, views: Views) -> None:
        self._log = log
        self._database = database
        self._views = views

    async def head(self) -> int:
        async with _reached("the log"):
            return await self._log.store.head()

    async def bereft(self, workspace: str, session: str) -> Sequence[Bereft]:
        """Return what rests on a session alone, once the views know all of it."""
        if not await self._views.wait_for(await self.head(), _FOLDED_WITHIN):
            raise Unavailable("the views")
        async with _reached("the views"), self._database.acquire() as db:
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
        async with _reached("the views"), self._database.acquire() as db:
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
        if not await self._views.wait_for(position, _FOLDED_WITHIN):
            raise Unavailable("the views")
        async with _reached("the views"), self._database.acquire() as db:
            return await find_quoted(db, answered.workspace, messages, conclusions)

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
