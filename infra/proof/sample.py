"""Sessions picked by lot, with all events that make what the views tell of them.

Whatever happens in a session, or is derived from it alone, is on streams of its
ordering key (architecture section 2). So these few streams, and the workspace's own,
which says when it was erased, give the session's rows again, at any position.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import asyncpg
import msgspec

from domain.names import ordering_key_of, session_stream, workspace_stream
from domain.recorded import Recorded
from infra.postgres.categories import find_categories
from infra.proof.comparison import Rows

_DRAW: Final = """
SELECT stream, tenant FROM log.event
WHERE stream >= 'session-' AND stream < 'session.' AND version = 1 AND position <= $2
ORDER BY sha256(convert_to($1 || stream, 'UTF8')) LIMIT $3
"""

# ',' is the character after '+': a stream and those below it.
_STREAMS: Final = """
SELECT DISTINCT e.stream FROM unnest($1::text[]) AS r (low)
JOIN log.event AS e ON e.stream >= r.low AND e.stream < r.low || ','
WHERE e.version <= 1
"""

_OF_SESSION: Final = """
(t.tenant, t.session) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""

# What rests on another session goes with that one, which is not in the sample.
_OWN_EVIDENCE: Final = f"""{_OF_SESSION}
AND (t.tenant, t.conclusion) IN (SELECT tenant, origin FROM conclusion)
"""  # noqa: S608  a constant

SESSION_TABLES: Final = frozenset(
    {
        *("session", "member", "message", "former_metadata", "forking", "conclusion"),
        *("evidence", "summary", "progress", "session_progress", "scope_session"),
        *("life", "premise"),
    }
)
"""Tables whose rows of a session follow from its own events, vectors beside them."""

_VECTORS: Final = ("message_vector_", "conclusion_vector_", "part_vector_")


class Log(Protocol):
    """Reads the log, opened."""

    async def read_stream(self, stream: str, *, after: int) -> Sequence[Recorded]: ...

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]: ...


class Session(msgspec.Struct, frozen=True, order=True):
    """A session that was drawn."""

    workspace: str
    name: str


async def draw_sessions(
    db: asyncpg.Connection, seed: str, through: int, count: int
) -> list[Session]:
    """Draw that many of all sessions there ever were; of the same seed the same."""
    rows = await db.fetch(_DRAW, seed, through, count)
    return sorted(session_of(row["stream"], row["tenant"]) for row in rows)


def session_of(stream: str, tenant: str) -> Session:
    """Return the session whose own stream this is."""
    _, _, rest = stream.partition("-")
    return Session(tenant, rest[len(tenant) + 1 :])


async def events_of(
    db: asyncpg.Connection, log: Log, sessions: Sequence[Session]
) -> list[Recorded]:
    """Return every event that makes these sessions' rows, in position order."""
    categories = await find_categories(db)
    streams = {workspace_stream(each.workspace).name for each in sessions}
    for each in sessions:
        lows = [f"{name}-{each.workspace}+{each.name}" for name in categories]
        key = session_stream(each.workspace, each.name).ordering_key
        for row in await db.fetch(_STREAMS, lows):
            if ordering_key_of(row["stream"]) == key:
                streams.add(row["stream"])
    events: list[Recorded] = []
    for stream in sorted(streams):
        events += await log.read_stream(stream, after=0)
    return sorted(events, key=lambda recorded: recorded.position)


def is_of_sessions(table: str) -> bool:
    """Tell whether a table's rows can be compared session by session."""
    return table in SESSION_TABLES or table.startswith(_VECTORS)


def rows_of(table: str, sessions: Sequence[Session]) -> Rows:
    """Return which rows of a table tell of these sessions, as the fold has them.

    The connection's unqualified names are the tables of the fold.
    """
    condition = _OWN_EVIDENCE if table == "evidence" else _OF_SESSION
    return Rows(
        condition,
        ([each.workspace for each in sessions], [each.name for each in sessions]),
    )
