"""Summaries of sessions, as they stand and as they stood."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

import msgspec

from domain.recorded import Recorded
from domain.session import SummaryKind
from domain.summary import SummaryProduced, SummaryReinstated, SummaryRetracted
from projections.as_of import NOW, holding
from projections.columns import as_text, as_utc
from projections.condition import Bind
from projections.intervals import Intervals, Values
from projections.ports import Connection, Row


class Summaries:
    """The table ``summary``: the chain of each kind; its newest row is current.

    Where the newest is withdrawn the one before has a row again, and where that is
    undone the newest has.
    """

    name = "summaries"
    version = 2
    tables = """
        CREATE TABLE summary (
            tenant        text COLLATE "C" NOT NULL,
            session       text COLLATE "C" NOT NULL,
            kind          text COLLATE "C" NOT NULL,
            id            text COLLATE "C" NOT NULL,
            from_seq      integer NOT NULL,
            to_seq        integer NOT NULL,
            message       text COLLATE "C" NOT NULL,
            content       text NOT NULL,
            tokens        integer NOT NULL,
            created_at    timestamptz NOT NULL,
            parent        text COLLATE "C",
            from_position bigint NOT NULL,
            to_position   bigint,
            PRIMARY KEY (tenant, session, kind, from_position)
        );
    """
    indexes = """
        CREATE UNIQUE INDEX summary_current ON summary (tenant, session, kind)
            WHERE to_position IS NULL;
    """
    handles = (SummaryProduced, SummaryRetracted, SummaryReinstated)

    def __init__(self) -> None:
        self._rows = Intervals(
            "summary",
            key={"tenant": "text", "session": "text", "kind": "text"},
            values={
                "id": "text",
                "from_seq": "int",
                "to_seq": "int",
                "message": "text",
                "content": "text",
                "tokens": "int",
                "created_at": "timestamptz",
                "parent": "text",
            },
            births=(SummaryProduced,),
        )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        key = {"tenant": "workspace", "session": "session", "kind": "kind"}
        for kind, run in groupby(batch, lambda each: type(each.event)):
            if kind is SummaryProduced:
                await self._rows.fold(db, list(run), key, _step)
                continue
            for recorded in run:
                await _turn(db, recorded)


async def _turn(db: Connection, recorded: Recorded) -> None:
    """Let another of the chain be its newest, if what is withdrawn or comes back is."""
    event, position = recorded.event, recorded.position
    if isinstance(event, SummaryRetracted):
        chain = (event.workspace, event.session, event.kind)
        await db.execute(_WITHDRAW, *chain, event.id, position)
        await db.execute(_FALL_BACK, *chain, event.fallback, position, event.id)
    elif isinstance(event, SummaryReinstated):
        chain = (event.workspace, event.session, event.kind)
        await db.execute(_GIVE_WAY, *chain, event.id, position)
        await db.execute(_COME_BACK, *chain, event.id, position)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What was said from one message to another, summed up; tokens o200k_base."""

    id: str
    session: str
    kind: str
    from_seq: int
    to_seq: int
    message: str
    content: str
    tokens: int
    created_at: datetime
    parent: str | None


async def get_summaries(
    db: Connection, tenant: str, session: str, as_of: int = NOW
) -> dict[SummaryKind, Summary]:
    """Return the newest summary of each kind there was at a position."""
    bind = Bind(tenant, session)
    rows = await db.fetch(
        "SELECT id, session, kind, from_seq, to_seq, message, content, tokens,"  # noqa: S608  every value is bound
        " created_at, parent FROM summary"
        f" WHERE tenant = $1 AND session = $2 AND {holding(as_of)(bind)}",
        *bind.values,
    )
    return {row["kind"]: _summary(row) for row in rows}


class Covering(msgspec.Struct, frozen=True, kw_only=True):
    """A summary that covers a message; ``current`` if none of its kind came after."""

    id: str
    session: str
    kind: str
    from_seq: int
    to_seq: int
    created_at: datetime
    current: bool


async def summaries_covering(
    db: Connection, tenant: str, messages: Sequence[str], limit: int, as_of: int = NOW
) -> list[Covering]:
    """Return the first ``limit`` summaries whose range holds any of these messages."""
    rows = await db.fetch(_COVERING, tenant, list(messages), as_of, limit)
    names = Covering.__struct_fields__
    return [Covering(**{name: row[name] for name in names}) for row in rows]


# One that was withdrawn and came back is there twice: as it last stood counts.
_COVERING = """
    SELECT c.id, c.session, c.kind, c.from_seq, c.to_seq, c.created_at,
        c.to_position IS NULL OR c.to_position > $3 AS current
    FROM (
        SELECT DISTINCT ON (s.id) s.* FROM summary AS s
        WHERE s.tenant = $1 AND s.from_position <= $3
            AND s.session IN (SELECT m.session FROM message AS m
                WHERE m.tenant = $1 AND m.id = ANY($2::text[]))
            AND EXISTS (SELECT FROM message AS m WHERE m.tenant = $1
                AND m.id = ANY($2::text[]) AND m.session = s.session
                AND m.seq BETWEEN s.from_seq AND s.to_seq)
        ORDER BY s.id, s.from_position DESC
    ) AS c
    ORDER BY c.from_position, c.kind LIMIT $4
"""


async def summary_of(
    db: Connection, tenant: str, session: str, id_: str
) -> Summary | None:
    """Return a summary as it last stood, current or not; None if it is not there."""
    row = await db.fetchrow(
        "SELECT id, session, kind, from_seq, to_seq, message, content, tokens,"
        " created_at, parent FROM summary WHERE tenant = $1 AND session = $2"
        " AND id = $3 ORDER BY from_position DESC LIMIT 1",
        tenant,
        session,
        id_,
    )
    return None if row is None else _summary(row)


def _step(_before: Values | None, recorded: Recorded) -> Values | None:
    event = recorded.event
    if not isinstance(event, SummaryProduced):
        return None
    return {
        "id": event.id,
        "from_seq": event.from_seq,
        "to_seq": event.to_seq,
        "message": event.message,
        "content": as_text(event.content),
        "tokens": event.tokens,
        "created_at": as_utc(event.created_at),
        "parent": event.parent,
    }


_ROW = (
    "tenant, session, kind, id, from_seq, to_seq, message, content, tokens,"
    " created_at, parent"
)
_CHAIN = "tenant = $1 AND session = $2 AND kind = $3"

_WITHDRAW = f"""
    UPDATE summary SET to_position = $5
    WHERE {_CHAIN} AND id = $4 AND to_position IS NULL AND from_position < $5
"""  # noqa: S608  constants

_FALL_BACK = f"""
    INSERT INTO summary ({_ROW}, from_position)
    SELECT {_ROW}, $5::bigint FROM summary
    WHERE {_CHAIN} AND id = $4 AND from_position < $5
        AND EXISTS (SELECT FROM summary
            WHERE {_CHAIN} AND id = $6 AND to_position = $5)
    ORDER BY from_position DESC LIMIT 1
    ON CONFLICT DO NOTHING
"""  # noqa: S608  constants

_GIVE_WAY = f"""
    UPDATE summary SET to_position = $5
    WHERE {_CHAIN} AND to_position IS NULL AND from_position < $5
        AND EXISTS (SELECT FROM summary
            WHERE {_CHAIN} AND id = $4 AND from_position < $5)
"""  # noqa: S608  constants

# Applied once more when more has come since, its row is there already.
_COME_BACK = f"""
    INSERT INTO summary ({_ROW}, from_position)
    SELECT {_ROW}, $5::bigint FROM summary
    WHERE {_CHAIN} AND id = $4 AND from_position < $5
    ORDER BY from_position DESC LIMIT 1
    ON CONFLICT DO NOTHING
"""  # noqa: S608  constants


def _summary(row: Row) -> Summary:
    return Summary(
        id=row["id"],
        session=row["session"],
        kind=row["kind"],
        from_seq=row["from_seq"],
        to_seq=row["to_seq"],
        message=row["message"],
        content=row["content"],
        tokens=row["tokens"],
        created_at=row["created_at"],
        parent=row["parent"],
    )
