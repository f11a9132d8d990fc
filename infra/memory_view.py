"""What a model's tools see of the views: as far as its sight reaches (RS 7.5)."""

import asyncio
from collections.abc import Sequence
from typing import Final

from infra.excerpts import Place, read_excerpts
from infra.memory_search import AT_ONCE, find_conclusions
from infra.recollecting import message_of, recollect_conclusions
from infra.sight_conditions import heard, owned, visible
from processors.recall import Recollection
from processors.tools.memory import Chain, Excerpt, Link, Period, Sight
from projections.condition import Bind, Condition, always, every
from projections.message_rows import message_rows
from projections.message_search import Question, search_messages
from projections.ports import Connection, Database, QueryEmbedder
from projections.stems import find_stems
from projections.verbatim import find_containing
from projections.walks import Bounds, Walked, walk_down, walk_up

BOUNDS: Final = Bounds(depth=12, width=200)
"""How far a chain is walked, in either direction."""

LINKS: Final = 40
"""Most conclusions of a chain that are told of, in either direction."""

_NAMED: Final = """
SELECT c.id, c.origin FROM conclusion AS c
WHERE c.tenant = $1 AND (c.id = $2 OR c.origin = $2) AND {owned} LIMIT 1
"""

_OWNED: Final = """
SELECT DISTINCT ON (c.origin) c.id, c.origin FROM conclusion AS c
WHERE c.tenant = $1 AND c.origin = ANY ($2::text[]) AND {owned}
ORDER BY c.origin, c.id
"""

_NEWEST: Final = """
SELECT c.id FROM conclusion AS c WHERE c.tenant = $1 AND {owned}
ORDER BY c.created_at DESC, c.from_position DESC, c.id LIMIT {limit}
"""

_MESSAGES: Final = """
SELECT m.id, m.content, m.created_at, m.peer, m.session, m.seq FROM {rows}
WHERE m.tenant = $1 AND {where} ORDER BY {order} LIMIT {limit}
"""


class ViewMemories:
    """Fulfils ``processors.tools.memory.OpenMemory``."""

    def __init__(self, database: Database, embedder: QueryEmbedder) -> None:
        self._database = database
        self._embedder = embedder
        self._turns = asyncio.Semaphore(AT_ONCE)

    def __call__(self, sight: Sight) -> "ViewMemory":
        """Open memory as far as a sight reaches."""
        return ViewMemory(sight, self._database, self._embedder, self._turns)


class ViewMemory:
    """Fulfils ``processors.tools.memory.MemoryView``."""

    def __init__(
        self,
        sight: Sight,
        database: Database,
        embedder: QueryEmbedder,
        turns: asyncio.Semaphore,
    ) -> None:
        self._sight = sight
        self._database = database
        self._embedder = embedder
        self._turns = turns

    async def search_conclusions(
        self, query: str, limit: int
    ) -> tuple[Recollection, ...]:
        """See the port."""
        probe = await self._embedder.embed_query(query)
        async with self._turns, self._database.acquire() as db:
            found = await find_conclusions(db, self._sight, query, limit, probe, always)
        return tuple(found)

    async def recent_conclusions(
        self, limit: int, *, here: bool
    ) -> tuple[Recollection, ...]:
        """See the port."""
        sight = self._sight
        bind = Bind(sight.workspace)
        where = owned(sight)
        if here and sight.session is not None:
            where = every(where, _of_session(sight.session))
        statement = _NEWEST.format(owned=where(bind), limit=bind(limit))
        async with self._turns, self._database.acquire() as db:
            rows = await db.fetch(statement, *bind.values)
            ids = [row["id"] for row in rows]
            return tuple(await recollect_conclusions(db, sight, ids))

    async def search_messages(
        self, query: str, limit: int, around: int, period: Period
    ) -> tuple[Excerpt, ...]:
        """See the port."""
        sight = self._sight
        probe = await self._embedder.embed_query(query)
        asked = Question(
            tenant=sight.workspace,
            query=query,
            limit=limit,
            probe=probe,
            session=sight.session,
            where=every(heard(sight), _within(period)),
            as_of=sight.as_of,
        )
        async with self._turns, self._database.acquire() as db:
            scored = await search_messages(db, asked)
            return await self._around(db, [each.id for each in scored], around)

    async def grep_messages(
        self, text: str, limit: int, around: int
    ) -> tuple[Excerpt, ...]:
        """See the port."""
        sight = self._sight
        async with self._turns, self._database.acquire() as db:
            stems = await find_stems(db, sight.workspace, text, sight.as_of)
            same = await find_containing(db, text, stems.documents, stems.languages)
            found = await self._list(db, same.search, _NEWEST_FIRST, limit)
            return await self._around(db, [each.id for each in found], around)

    async def list_messages(
        self, period: Period, limit: int, *, newest_first: bool
    ) -> tuple[Recollection, ...]:
        """See the port."""
        order = _NEWEST_FIRST if newest_first else _OLDEST_FIRST
        async with self._turns, self._database.acquire() as db:
            return tuple(await self._list(db, _within(period), order, limit))

    async def show_messages(
        self, ids: Sequence[str], around: int
    ) -> tuple[Excerpt, ...]:
        """See the port."""
        async with self._turns, self._database.acquire() as db:
            return await self._around(db, ids, around)

    async def find_chain(
        self, id_: str, *, premises: bool, consequences: bool
    ) -> Chain | None:
        """See the port."""
        sight = self._sight
        async with self._turns, self._database.acquire() as db:
            bind = Bind(sight.workspace, id_)
            statement = _NAMED.format(owned=owned(sight)(bind))
            row = await db.fetchrow(statement, *bind.values)
            if row is None:
                return None
            origin = row["origin"]
            walk = (db, sight.workspace, [origin], BOUNDS, sight.as_of)
            down = await walk_down(*walk) if premises else Walked({})
            up = await walk_up(*walk) if consequences else Walked({})
            [own] = await recollect_conclusions(db, sight, [row["id"]])
            below, all_below = await self._links(db, down, origin)
            above, all_above = await self._links(db, up, origin)
        return Chain(
            conclusion=own,
            premises=below,
            consequences=above,
            whole=all_below and all_above,
        )

    async def _links(
        self, db: Connection, walked: Walked, origin: str
    ) -> tuple[tuple[Link, ...], bool]:
        """Return what was reached within sight, nearest first, and whether all is."""
        sight = self._sight
        steps = {each: n for each, n in walked.depths.items() if each != origin}
        bind = Bind(sight.workspace, list(steps))
        statement = _OWNED.format(owned=owned(sight)(bind))
        rows = await db.fetch(statement, *bind.values) if steps else []
        nearest = sorted(rows, key=lambda row: (steps[row["origin"]], row["origin"]))
        ids = [row["id"] for row in nearest[:LINKS]]
        found = await recollect_conclusions(db, sight, ids)
        links = tuple(Link(each, steps[each.id]) for each in found)
        return links, walked.whole and len(rows) <= LINKS

    async def _list(
        self, db: Connection, where: Condition, order: str, limit: int
    ) -> list[Recollection]:
        bind = Bind(self._sight.workspace)
        statement = _MESSAGES.format(
            rows=message_rows(self._sight.as_of)(bind),
            where=every(visible(self._sight), where)(bind),
            order=order,
            limit=bind(limit),
        )
        return [message_of(row) for row in await db.fetch(statement, *bind.values)]

    async def _around(
        self, db: Connection, ids: Sequence[str], around: int
    ) -> tuple[Excerpt, ...]:
        """Show messages with their neighbours; those out of sight are passed over."""
        if not ids:
            return ()
        here = await self._list(db, _named(ids), _OLDEST_FIRST, len(ids))
        found = {each.id: each for each in here}
        places = [
            Place(each.session or "", each.number, each.id)
            for id_ in dict.fromkeys(ids)
            if (each := found.get(id_)) is not None
        ]
        return await read_excerpts(db, self._sight, places, around)


_NEWEST_FIRST: Final = "m.created_at DESC, m.position DESC"
_OLDEST_FIRST: Final = "m.created_at, m.position"


def _named(ids: Sequence[str]) -> Condition:
    return lambda bind: f"m.id = ANY ({bind(list(ids))}::text[])"


def _of_session(session: str) -> Condition:
    return lambda bind: f"c.session = {bind(session)}"


def _within(period: Period) -> Condition:
    """Hold for messages of a period, by when they are said to have been said."""
    conditions: list[Condition] = []
    if period.after is not None:
        after = period.after
        conditions.append(lambda bind: f"m.created_at >= {bind(after)}")
    if period.before is not None:
        before = period.before
        conditions.append(lambda bind: f"m.created_at <= {bind(before)}")
    return every(*conditions) if conditions else always
