"""Searches the live views for what a question may be answered with."""

import asyncio
from typing import Final

from commands.asking import AskedQuestion
from infra.recollecting import recollect_conclusions, recollect_messages
from infra.sight_conditions import heard, held
from processors.recall import Recalled, Recollection
from processors.sights import sight_of
from processors.tools.memory import Sight
from projections.conclusion_search import ConclusionQuestion, search_conclusions
from projections.condition import Bind, Condition, equals, every
from projections.message_search import Question, search_messages
from projections.ports import Connection, Database, QueryEmbedder, Views
from projections.probe import Probe

_EXPLICIT: Final = "explicit"

AT_ONCE: Final = 3
"""Recalls the database does at once: the other readers are for whoever asks less."""


class ViewMemorySearch:
    """Fulfils ``processors.recall.MemorySearch``.

    Found are conclusions the asking peer holds of the target, and what the target
    said while the asking peer took part (RS 14.17), or in the one session the question
    names. A scope in the peer's place heard its sessions. Where the whole workspace is
    asked, each of its conclusions and messages may be found. Where only some sessions
    may be recalled from, conclusions are those that rest on them alone (RS 14.9).
    Without an embedder words alone decide. A question of the past is asked of what
    was held and had been heard then.
    """

    def __init__(
        self, database: Database, embedder: QueryEmbedder, views: Views
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._views = views
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def recall(self, question: AskedQuestion, limit: int) -> Recalled:
        """Return explicit conclusions, others and messages, best of each first."""
        probe = await self._embedder.embed_query(question.query)
        sight = sight_of(question)
        as_of = min(self._views.position, question.as_of)
        search = (sight, question.query, limit, probe)
        async with self._turns, self._database.acquire() as db:
            conclusions = [
                each
                for leg in (_is_explicit, _is_derived)
                for each in await find_conclusions(db, *search, leg)
            ]
            messages = await _messages(db, *search)
        return Recalled((*conclusions, *messages), as_of)


async def find_conclusions(
    db: Connection,
    sight: Sight,
    query: str,
    limit: int,
    probe: Probe | None,
    leg: Condition,
) -> list[Recollection]:
    """Search conclusions within sight, best first."""
    scored = await search_conclusions(
        db,
        ConclusionQuestion(
            tenant=sight.workspace,
            observer=sight.observer,
            observed=sight.observed,
            query=query,
            limit=limit,
            probe=probe,
            where=every(leg, held(sight)),
            as_of=sight.as_of,
        ),
    )
    ids = [each.id for each in scored]
    return await recollect_conclusions(db, sight, ids, probe)


async def _messages(
    db: Connection, sight: Sight, query: str, limit: int, probe: Probe | None
) -> list[Recollection]:
    where = heard(sight)
    if sight.observed is not None:
        where = every(equals("m.peer", sight.observed), where)
    scored = await search_messages(
        db,
        Question(
            tenant=sight.workspace,
            query=query,
            limit=limit,
            probe=probe,
            session=sight.session,
            where=where,
            as_of=sight.as_of,
        ),
    )
    ids = [each.id for each in scored]
    return await recollect_messages(db, sight, ids, probe)


def _is_explicit(bind: Bind) -> str:
    return f"c.level = {bind(_EXPLICIT)}"


def _is_derived(bind: Bind) -> str:
    return f"c.level <> {bind(_EXPLICIT)}"
