"""Which sessions scopes hold, as it stands and as it stood."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from domain.recorded import Recorded
from domain.scope import SessionAddedToScope, SessionRemovedFromScope, peer_of_scope
from projections.as_of import NOW, holding
from projections.columns import as_utc
from projections.condition import Bind
from projections.intervals import Intervals, Values
from projections.ports import Connection


class ScopeSessions:
    """The table ``scope_session``: one row for each state a session's place was in.

    ``begun`` is the position at which the session last came into the scope, when all
    that was known from it came into the scope's memory; ``begun_at`` is that time,
    ``spoken`` whether anything had been said in it by then (HC E44): not in one that
    was opened in the scope, a copy of another included. One that is added again while
    it is there only goes to the end of the order.
    """

    name = "scope_sessions"
    version = 2
    tables = """
        CREATE TABLE scope_session (
            tenant        text COLLATE "C" NOT NULL,
            scope         text COLLATE "C" NOT NULL,
            session       text COLLATE "C" NOT NULL,
            joined_at     timestamptz NOT NULL,
            active        boolean NOT NULL,
            begun         bigint NOT NULL,
            begun_at      timestamptz NOT NULL,
            spoken        boolean NOT NULL,
            from_position bigint NOT NULL,
            to_position   bigint,
            PRIMARY KEY (tenant, session, scope, from_position)
        );
    """
    indexes = """
        CREATE UNIQUE INDEX scope_session_current
            ON scope_session (tenant, scope, session) WHERE to_position IS NULL;
    """
    handles = (SessionAddedToScope, SessionRemovedFromScope)

    def __init__(self) -> None:
        self._rows = Intervals(
            "scope_session",
            key={"tenant": "text", "session": "text", "scope": "text"},
            values={
                "joined_at": "timestamptz",
                "active": "boolean",
                "begun": "bigint",
                "begun_at": "timestamptz",
                "spoken": "boolean",
            },
        )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        first = await _first_words(db, batch)

        def step(before: Values | None, recorded: Recorded) -> Values | None:
            return _step(before, recorded, first)

        key = {"tenant": "workspace", "session": "session", "scope": "scope"}
        await self._rows.fold(db, batch, key, step)


class Backfill(msgspec.Struct, frozen=True):
    """What a session brought into a scope's memory when it came, and when."""

    session: str
    at: datetime
    copied: int


async def sessions_of_scopes(
    db: Connection, tenant: str, scopes: Sequence[str], limit: int, as_of: int = NOW
) -> list[str]:
    """Return the sessions in any of the scopes, each once, at most ``limit``."""
    bind = Bind(tenant, list(scopes), limit)
    rows = await db.fetch(
        f"SELECT DISTINCT session FROM scope_session WHERE {holding(as_of)(bind)}"  # noqa: S608  every value is bound
        " AND tenant = $1 AND scope = ANY($2::text[]) AND active"
        " ORDER BY session LIMIT $3",
        *bind.values,
    )
    return [row["session"] for row in rows]


async def list_backfills(
    db: Connection, tenant: str, scope: str, as_of: int = NOW
) -> list[Backfill]:
    """Return what each session brought, the last time it came, if there was anything.

    A session in which nothing was ever said or concluded had nothing to bring (E47).
    """
    bind = Bind(tenant, scope, peer_of_scope(scope))
    rows = await db.fetch(
        f"""
        WITH place AS (
            SELECT session, begun, begun_at, spoken FROM scope_session
            WHERE {holding(as_of)(bind)} AND tenant = $1 AND scope = $2
        ), copied AS (
            SELECT c.session, count(*) AS copies
            FROM place AS p JOIN conclusion AS c
              ON c.tenant = $1 AND c.session = p.session AND c.observer = $3
             AND c.from_position = p.begun
            GROUP BY c.session
        )
        SELECT p.session, p.begun_at, coalesce(k.copies, 0) AS copies
        FROM place AS p LEFT JOIN copied AS k USING (session)
        WHERE p.spoken OR k.copies > 0
        ORDER BY p.session
        """,  # noqa: S608  every value is bound
        *bind.values,
    )
    return [Backfill(row["session"], row["begun_at"], row["copies"]) for row in rows]


def _step(
    before: Values | None,
    recorded: Recorded,
    first: Mapping[tuple[str, str], "_FirstWords"],
) -> Values | None:
    match recorded.event:
        case SessionAddedToScope() as event:
            moved: Values = {"joined_at": as_utc(event.joined_at), "active": True}
            if before is not None and before["active"]:
                return {**before, **moved}
            said = first.get((event.workspace, event.session))
            return {
                **moved,
                "begun": recorded.position,
                "begun_at": recorded.recorded_at,
                "spoken": said is not None
                and said.before(recorded.position, moved["joined_at"]),
            }
        case SessionRemovedFromScope() if before is not None and before["active"]:
            return {**before, "active": False}
        case _:
            return None


class _FirstWords(msgspec.Struct, frozen=True):
    """Where in the log a session's first message stands, and when it was opened."""

    position: int
    opened_at: datetime | None

    def before(self, position: int, joined_at: datetime) -> bool:
        """Tell whether something was said before the session came into a scope."""
        return self.position < position and self.opened_at != joined_at


async def _first_words(
    db: Connection, batch: Sequence[Recorded]
) -> dict[tuple[str, str], _FirstWords]:
    """Return the first words of each added session in which something was said."""
    named = {
        (event.workspace, event.session)
        for recorded in batch
        if isinstance(event := recorded.event, SessionAddedToScope)
    }
    if not named:
        return {}
    rows = await db.fetch(_FIRST, *map(list, zip(*sorted(named), strict=True)))
    return {
        (row["tenant"], row["session"]): _FirstWords(row["position"], row["created_at"])
        for row in rows
    }


_FIRST = """
    SELECT g.tenant, g.session, m.position, s.created_at
    FROM unnest($1::text[], $2::text[]) AS g(tenant, session)
    CROSS JOIN LATERAL (
        SELECT position FROM message AS m
        WHERE m.tenant = g.tenant AND m.session = g.session ORDER BY m.seq LIMIT 1
    ) AS m
    LEFT JOIN session AS s
        ON s.tenant = g.tenant AND s.session = g.session AND s.to_position IS NULL
"""
