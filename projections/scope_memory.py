"""What a scope's memory gains and loses as sessions come into it and go (RS 2.8)."""

from collections.abc import Sequence

from domain.recorded import Recorded
from domain.scope import SessionAddedToScope, SessionRemovedFromScope, peer_of_scope
from projections.holdings import row_id
from projections.intervals import Values
from projections.ports import Connection, Row


async def bring(db: Connection, batch: Sequence[Recorded]) -> list[Values]:
    """Return the rows that sessions bring into scopes they were not in.

    They are copies of what was said in the session, as the peers it tells of hold it
    themselves at that moment; and what was made for the scope from that session and
    went with it, if it was there before. Each has an id of its own: it may go again.
    """
    came = [
        (number, event.workspace, event.session, event.scope, recorded.position)
        for number, recorded in enumerate(batch)
        if isinstance(event := recorded.event, SessionAddedToScope)
    ]
    observers = [peer_of_scope(scope) for _, _, _, scope, _ in came]
    found = await db.fetch(_BROUGHT, *map(list, zip(*came, strict=True)), observers)
    return [_copy(row, observers[row["number"]], batch[row["number"]]) for row in found]


async def take_away(db: Connection, batch: Sequence[Recorded]) -> None:
    """End what scopes hold from sessions that leave them.

    What was made for a scope from no session stays.
    """
    went = [
        (event.workspace, event.session, peer_of_scope(event.scope), recorded.position)
        for recorded in batch
        if isinstance(event := recorded.event, SessionRemovedFromScope)
    ]
    await db.execute(_TAKEN, *map(list, zip(*went, strict=True)))


def _copy(row: Row, observer: str, came: Recorded) -> Values:
    return {
        **{name: row[name] for name in _COPIED},
        "id": row_id(row["origin"], observer, came.id.hex),
        "observer": observer,
        "named": row["observer"] == observer,
        "born": came.position,
        "from_position": came.position,
    }


_COPIED = (
    "tenant",
    "origin",
    "observed",
    "session",
    "level",
    "content",
    "occurred_at",
    "created_at",
    "times_derived",
    "sources",
    "generation",
    "sessions",
)

# A session that was in the scope already brings nothing: its place began earlier.
_BROUGHT = f"""
    WITH came AS (
        SELECT g.* FROM unnest($1::int[], $2::text[], $3::text[], $4::text[],
                               $5::bigint[], $6::text[])
            AS g(number, tenant, session, scope, position, observer)
        JOIN scope_session AS p ON p.tenant = g.tenant AND p.session = g.session
            AND p.scope = g.scope AND p.begun = g.position
            AND p.from_position = g.position
    ), gone AS (
        SELECT g.*, p.from_position AS since FROM came AS g
        JOIN scope_session AS p ON p.tenant = g.tenant AND p.session = g.session
            AND p.scope = g.scope AND p.to_position = g.position
    ), brought AS (
        SELECT g.number, c.* FROM came AS g
        JOIN conclusion AS c ON c.tenant = g.tenant AND c.session = g.session
            AND c.observer = c.observed AND c.from_position < g.position
            AND (c.to_position IS NULL OR c.to_position > g.position)
        UNION ALL
        SELECT g.number, c.* FROM gone AS g
        JOIN conclusion AS c ON c.tenant = g.tenant AND c.session = g.session
            AND c.observer = g.observer AND c.named
            AND c.to_position = g.since
    )
    SELECT number, observer,
           {", ".join(c for c in _COPIED if c not in ("sources", "sessions"))},
           to_jsonb(sources) AS sources, to_jsonb(sessions) AS sessions
    FROM brought WHERE level = 'explicit' ORDER BY number, created_at, id
"""  # noqa: S608  constants

_TAKEN = """
    UPDATE conclusion AS t SET to_position = e.position
    FROM (
        SELECT t.tenant, t.id, t.from_position, min(g.position) AS position
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
            AS g(tenant, session, observer, position)
        JOIN conclusion AS t ON t.tenant = g.tenant AND t.session = g.session
            AND t.observer = g.observer AND t.level = 'explicit'
            AND t.to_position IS NULL AND t.from_position < g.position
        GROUP BY t.tenant, t.id, t.from_position
    ) AS e
    WHERE t.tenant = e.tenant AND t.id = e.id AND t.from_position = e.from_position
"""
