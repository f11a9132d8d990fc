"""Messages whose derivation failed, is passed over, or is tried again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from domain.derivation import (
    DerivationCompleted,
    DerivationFailed,
    DerivationRedriven,
    DerivationRequested,
)
from domain.recorded import Recorded
from projections.as_of import NOW, holding
from projections.columns import as_text
from projections.condition import Bind, Condition, every
from projections.intervals import Intervals, Values
from projections.ports import Connection, Row

_KEY = {"tenant": "text", "session": "text", "first_seq": "integer"}


class DerivationRanges:
    """The table ``derivation_range``: a row for each state of such a range.

    ``state`` is ``failing`` while it is tried again and again, ``parked`` once it is
    not, ``passed-over``, ``redriven``, and ``done`` in the end. ``since`` is when
    that began, ``retry_at`` when the next attempt is due.
    """

    name = "derivation_ranges"
    version = 1
    tables = """
        CREATE TABLE derivation_range (
            tenant        text COLLATE "C" NOT NULL,
            session       text COLLATE "C" NOT NULL,
            first_seq     integer NOT NULL,
            last_seq      integer NOT NULL,
            state         text COLLATE "C" NOT NULL,
            attempt       integer NOT NULL,
            error         text,
            since         timestamptz NOT NULL,
            retry_at      timestamptz,
            from_position bigint NOT NULL,
            to_position   bigint,
            PRIMARY KEY (tenant, session, first_seq, from_position)
        );
    """
    indexes = """
        CREATE INDEX derivation_range_open
            ON derivation_range (tenant, session, first_seq)
            WHERE to_position IS NULL AND state <> 'done';
    """
    handles = (
        DerivationFailed,
        DerivationCompleted,
        DerivationRequested,
        DerivationRedriven,
    )

    def __init__(self) -> None:
        self._rows = Intervals(
            "derivation_range",
            key=_KEY,
            values={
                "last_seq": "integer",
                "state": "text",
                "attempt": "integer",
                "error": "text",
                "since": "timestamptz",
                "retry_at": "timestamptz",
            },
        )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        key = {"tenant": "workspace", "session": "session", "first_seq": "first_seq"}
        await self._rows.fold(db, batch, key, _step)


def _step(before: Values | None, recorded: Recorded) -> Values | None:
    at = recorded.recorded_at
    open_ = before is not None and before["state"] != "done"
    match recorded.event:
        case DerivationFailed() as event:
            return {
                "last_seq": event.last_seq,
                "state": "parked" if event.parked else "failing",
                "attempt": event.attempt,
                "error": as_text(event.error),
                "since": before["since"] if before is not None and open_ else at,
                "retry_at": event.retry_at,
            }
        case DerivationCompleted(reason="no-usable-answer") as event:
            return {
                "last_seq": event.last_seq,
                "state": "passed-over",
                "attempt": event.attempt or 0,
                "error": before["error"] if before is not None and open_ else None,
                "since": at,
                "retry_at": None,
            }
        case DerivationCompleted() if before is not None and open_:
            return {**before, "state": "done", "retry_at": None}
        case DerivationRedriven() if before is not None:
            return {**before, "state": "redriven", "since": at, "retry_at": at}
        case DerivationRequested(reason="redrive") if before is not None and open_:
            return {**before, "state": "failing", "retry_at": at}
        case _:
            return None


class Stuck(msgspec.Struct, frozen=True, kw_only=True):
    """A range that is not derived as it should be, and why.

    ``retry_at`` is None where nothing is tried by itself.
    """

    workspace: str
    session: str
    first_seq: int
    last_seq: int
    state: str
    attempt: int
    error: str | None
    since: datetime
    retry_at: datetime | None


STUCK: Final = (
    "r.tenant AS workspace, r.session, r.first_seq, r.last_seq, r.state, r.attempt,"
    " r.error, r.since, r.retry_at"
)
"""What is read of a row ``r`` to tell of it with ``stuck_of``."""


def stuck_of(row: Row) -> Stuck:
    """Return what a row tells."""
    return Stuck(**{name: row[name] for name in Stuck.__struct_fields__})


def stuck(as_of: int = NOW) -> Condition:
    """Hold for rows ``r`` of what was stuck at a position."""
    return every(lambda _: "r.state <> 'done'", holding(as_of, "r"))


class StuckCount(msgspec.Struct, frozen=True):
    """How many ranges of a workspace are stuck in one state."""

    workspace: str
    state: str
    ranges: int


async def count_stuck(db: Connection, most: int) -> list[StuckCount]:
    """Count what is stuck now, by workspace and state, the most first."""
    rows = await db.fetch(_COUNTED, most)
    return [StuckCount(row["tenant"], row["state"], row["ranges"]) for row in rows]


_COUNTED: Final = """
    SELECT tenant, state, count(*) AS ranges FROM derivation_range
    WHERE to_position IS NULL AND state <> 'done'
    GROUP BY tenant, state ORDER BY ranges DESC, tenant, state LIMIT $1
"""


async def list_stuck(
    db: Connection, tenant: str | None, session: str | None, most: int
) -> list[Stuck]:
    """Return what is stuck anywhere, or there, the oldest first."""
    bind = Bind(tenant, session)
    rows = await db.fetch(
        f"SELECT {STUCK} FROM derivation_range AS r"  # noqa: S608  every value is bound
        " WHERE ($1::text IS NULL OR r.tenant = $1)"
        f" AND ($2::text IS NULL OR r.session = $2) AND {stuck()(bind)}"
        f" ORDER BY r.since, r.tenant, r.session, r.first_seq LIMIT {bind(most)}",
        *bind.values,
    )
    return [stuck_of(row) for row in rows]


async def count_failures(
    db: Connection, tenant: str, session: str | None = None
) -> dict[str, int]:
    """Return how many ranges are stuck in a workspace, or a session, by state."""
    rows = await db.fetch(_FAILURES, tenant, session)
    return {row["state"]: row["ranges"] for row in rows}


_FAILURES: Final = """
    SELECT state, count(*) AS ranges FROM derivation_range
    WHERE tenant = $1 AND ($2::text IS NULL OR session = $2)
        AND to_position IS NULL AND state <> 'done'
    GROUP BY state ORDER BY state
"""
