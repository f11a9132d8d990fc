"""What the log's side holds of a session or a workspace, for its erasure."""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import asyncpg
import msgspec

from domain.names import Stream, ordering_key_of
from infra.codec.errors import UNDECODABLE
from infra.postgres.categories import find_categories

T = TypeVar("T")

_LOG: Final = logging.getLogger("palimpsest.erasure")

# ',' is the character after '+': every stream of a workspace, or of a session within
# one, lies between two names of a category.
_STREAMS: Final = """
SELECT s.stream, newest.version FROM (
    SELECT DISTINCT e.stream FROM unnest($1::text[]) AS r (low)
    JOIN log.event AS e ON e.stream >= r.low AND e.stream < r.low || ','
    WHERE e.version <= 1 AND e.tenant = $2
) AS s CROSS JOIN LATERAL (
    SELECT e.type, e.position, e.version FROM log.event AS e
    WHERE e.stream = s.stream ORDER BY e.version DESC LIMIT 1
) AS newest
WHERE newest.type <> ALL ($3::text[]) AND newest.position <= $4
    AND (s.stream = ANY ($1::text[]) OR s.stream LIKE ANY ($5::text[]))
ORDER BY s.stream
"""

_ENDS: Final = ["stream-erased", "session-erased", "workspace-erased"]

# What is recorded lives from the last end of its stream on. A vector stays while any
# such record outside what goes names it, and while it is too young to be named yet.
_FORGET: Final = """
WITH record AS MATERIALIZED (
    SELECT e.stream, e.version, convert_from(e.data, 'UTF8')::jsonb AS data
    FROM log.event AS e
    WHERE e.stream >= $2 AND e.stream < $2 || ',' AND e.tenant = $1
        AND e.type = 'embedding-recorded' AND e.position <> ALL ($5::bigint[])
), named AS MATERIALIZED (
    SELECT r.data ->> 'model' AS model, i.item ->> 'fingerprint' AS fingerprint,
        r.stream = $3
            OR (i.item ->> 'kind' = 'conclusion' AND i.item ->> 'id' = ANY ($4::text[]))
            OR EXISTS (SELECT FROM log.event AS t WHERE t.stream = r.stream
                AND t.type = 'stream-erased' AND t.version > r.version) AS goes
    FROM record AS r
    CROSS JOIN LATERAL jsonb_array_elements(r.data -> 'items') AS i (item)
)
DELETE FROM log.embedding AS v WHERE v.tenant = $1
    AND NOT EXISTS (SELECT FROM named AS n WHERE NOT n.goes
        AND n.model = v.model AND n.fingerprint = v.fingerprint)
    AND (v.created_at < now() - interval '10 minutes' OR EXISTS (
        SELECT FROM named AS n
        WHERE n.model = v.model AND n.fingerprint = v.fingerprint))
"""

_CITING: Final = """
WITH q AS MATERIALIZED (
    SELECT convert_from(e.data, 'UTF8')::jsonb AS data FROM log.event AS e
    WHERE e.stream >= $2 AND e.stream < $2 || ',' AND e.tenant = $1
        AND e.type = 'question-answered' AND e.position <> ALL ($4::bigint[])
)
SELECT q.data ->> 'id' AS id FROM q
WHERE q.data -> 'messages' ?| $3::text[] OR q.data -> 'conclusions' ?| $3::text[]
    OR q.data #> '{trace,messages}' ?| $3::text[]
    OR q.data #> '{trace,conclusions}' ?| $3::text[]
    OR EXISTS (SELECT FROM jsonb_array_elements(q.data #> '{trace,tools}') AS t (used)
        WHERE t.used -> 'messages' ?| $3::text[]
            OR t.used -> 'conclusions' ?| $3::text[])
"""

_OF_TYPE: Final = """
SELECT position, data FROM log.event
WHERE stream >= $2 AND stream < $2 || ',' AND tenant = $1 AND type = $3
"""

_ZERO: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""In a text, as JSON has it: the database knows none with it."""

_UNPARK: Final = """
UPDATE work.held SET state = 'retry', attempts = 0, due_at = now()
WHERE tenant = $1 AND ($2::text IS NULL OR ordering_key = $2) AND NOT state = 'retry'
"""


class Remains:
    """Finds streams by name, and takes vectors and held keys out of their tables."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def streams_of_session(self, workspace: str, session: str) -> list[Stream]:
        """Return streams of a session's ordering key that do not end yet."""
        key = f"{workspace}/{session}"
        found = await self._streams(workspace, f"-{workspace}+{session}", 2**62)
        return [each for each in found if each.ordering_key == key]

    async def streams_of_workspace(
        self, workspace: str, through: int
    ) -> dict[Stream, int]:
        """Return streams that do not end yet and have no event beyond ``through``.

        With each the version it is at.
        """
        return await self._streams(workspace, f"-{workspace}", through)

    async def forget_vectors(
        self, workspace: str, session: str | None, conclusions: Sequence[str]
    ) -> None:
        """Delete the vectors of a session and of conclusions; without it all.

        A text that is said elsewhere in the workspace keeps its vector.
        """
        if session is None:
            await self._pool.execute(
                "DELETE FROM log.embedding WHERE tenant = $1", workspace
            )
            return
        every = f"embedding-{workspace}"
        own = f"{every}+{session}"
        named = (workspace, every, own, list(conclusions))
        kind = (workspace, every, "embedding-recorded")
        await self._despite_damage(partial(self._pool.execute, _FORGET, *named), kind)

    async def answers_citing(self, workspace: str, cited: Sequence[str]) -> list[str]:
        """Return the ids of questions whose answers rest on any of these records.

        What its model was given, or told by tools on the way, counts too.
        """
        every = f"question-{workspace}"
        asked = partial(self._pool.fetch, _CITING, workspace, every, list(cited))
        kind = (workspace, every, "question-answered")
        rows = await self._despite_damage(asked, kind)
        return [row["id"] for row in rows]

    async def unpark(self, workspace: str, session: str | None) -> None:
        """Let parked keys of a session, or of the whole workspace, be tried again."""
        key = None if session is None else f"{workspace}/{session}"
        await self._pool.execute(_UNPARK, workspace, key)

    async def _despite_damage(
        self, ask: Callable[[list[int]], Awaitable[T]], kind: tuple[str, str, str]
    ) -> T:
        """Ask the log what its records say; of some of a kind nobody knows any more.

        ``kind`` is a workspace, how their streams begin, and their type.
        """
        try:
            return await ask([])
        except asyncpg.DataError:
            damaged: list[int] = []
            async with self._pool.acquire() as db, db.transaction():
                async for position, data in db.cursor(_OF_TYPE, *kind):
                    if not _can_be_asked(data):
                        damaged.append(position)
            told = ", ".join(map(str, damaged))
            _LOG.warning("what damaged %s at %s tell is not known", kind[2], told)
            return await ask(damaged)

    async def _streams(
        self, workspace: str, named: str, through: int
    ) -> dict[Stream, int]:
        categories = await find_categories(self._pool)
        lows = [category + named for category in categories]
        below = [low.replace("_", r"\_") + "+%" for low in lows]
        rows = await self._pool.fetch(_STREAMS, lows, workspace, _ENDS, through, below)
        return {
            Stream(row["stream"], workspace, ordering_key_of(row["stream"])): row[
                "version"
            ]
            for row in rows
        }


class _Trace(msgspec.Struct):
    tools: list[Any] = []


class _Record(msgspec.Struct):
    items: list[Any] = []
    trace: _Trace | None = None


def _can_be_asked(data: bytes) -> bool:
    """Tell whether the database makes of it what is asked of records here."""
    try:
        msgspec.json.decode(data, type=_Record)
    except UNDECODABLE:
        return False
    return _ZERO.search(data) is None
