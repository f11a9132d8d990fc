"""Derivations: what an engine was given, who it was, and what it took."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.derivation import DerivationCompleted
from domain.event import Engine
from domain.question import QuestionAnswered
from domain.recorded import Recorded
from domain.summary import SummaryProduced
from projections.as_of import NOW
from projections.columns import as_json
from projections.ports import Connection, Row


class Derivations:
    """The table ``derivation``: a row each time an engine made something of messages.

    ``id`` is that of the command by which conclusions were drawn, or of the summary
    or answer itself; ``kind`` says which. What the engine read are the messages
    ``first_seq`` to ``last_seq`` of ``session``; an answer has no such range.
    """

    name = "derivations"
    version = 1
    tables = """
        CREATE TABLE derivation (
            tenant      text COLLATE "C" NOT NULL,
            id          text COLLATE "C" NOT NULL,
            kind        text COLLATE "C" NOT NULL,
            session     text COLLATE "C",
            first_seq   integer,
            last_seq    integer,
            engine      jsonb NOT NULL,
            reason      text COLLATE "C",
            attempt     integer,
            refused     integer NOT NULL,
            invented    integer NOT NULL,
            generation  integer NOT NULL,
            recorded_at timestamptz NOT NULL,
            position    bigint NOT NULL,
            PRIMARY KEY (tenant, id)
        );
    """
    indexes = ""
    handles = (DerivationCompleted, SummaryProduced, QuestionAnswered)

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        sent = [row for recorded in batch if (row := _row(recorded)) is not None]
        if sent:
            await db.execute(_INSERT, *map(list, zip(*sent, strict=True)))


def _row(recorded: Recorded) -> tuple[Any, ...] | None:
    event = recorded.event
    read: tuple[int | None, int | None] = (None, None)
    told: tuple[str | None, int | None, int, int, int] = (None, None, 0, 0, 1)
    match event:
        case DerivationCompleted(derivation=""):
            return None  # of a log that did not name them
        case DerivationCompleted(derivation=id_):
            kind, read = "conclusions", (event.first_seq, event.last_seq)
            counted = (event.refused, event.invented, event.generation)
            told = (event.reason, event.attempt, *counted)
        case SummaryProduced(id=id_):
            kind, read = "summary", (event.from_seq, event.to_seq)
        case QuestionAnswered(id=id_):
            kind = "answer"
        case _:
            return None
    return (
        event.workspace,
        id_,
        kind,
        event.session,
        *read,
        as_json(event.engine),
        *told,
        recorded.recorded_at,
        recorded.position,
    )


# Only the first of an id counts: none is used twice.
_INSERT = """
    INSERT INTO derivation (tenant, id, kind, session, first_seq, last_seq, engine,
        reason, attempt, refused, invented, generation, recorded_at, position)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[],
        $6::int[], $7::jsonb[], $8::text[], $9::int[], $10::int[], $11::int[],
        $12::int[], $13::timestamptz[], $14::bigint[])
    ON CONFLICT DO NOTHING
"""


class Derivation(msgspec.Struct, frozen=True, kw_only=True):
    """One derivation: how much of a session was read, by whom, with what result.

    ``positions`` are those in the log of the first and last message of ``numbers``,
    None where there are none, or no longer.
    """

    id: str
    kind: str
    session: str | None
    numbers: tuple[int | None, int | None]
    positions: tuple[int | None, int | None]
    engine: Engine
    reason: str | None
    attempt: int | None
    refused: int
    invented: int
    generation: int
    recorded_at: datetime
    position: int


async def get_derivations(
    db: Connection, tenant: str, ids: Sequence[str], as_of: int = NOW
) -> list[Derivation]:
    """Return those there were at a position, in the order they were recorded."""
    rows = await db.fetch(_SELECT, tenant, list(ids), as_of)
    return [_derivation(row) for row in rows]


_SELECT = """
    SELECT d.id, d.kind, d.session, d.first_seq, d.last_seq, f.position AS first,
        l.position AS last, d.engine, d.reason, d.attempt, d.refused, d.invented,
        d.generation, d.recorded_at, d.position
    FROM derivation AS d
    LEFT JOIN message AS f ON f.tenant = d.tenant AND f.session = d.session
        AND f.seq = d.first_seq
    LEFT JOIN message AS l ON l.tenant = d.tenant AND l.session = d.session
        AND l.seq = d.last_seq
    WHERE d.tenant = $1 AND d.id = ANY($2::text[]) AND d.position <= $3
    ORDER BY d.position
"""


def _derivation(row: Row) -> Derivation:
    return Derivation(
        id=row["id"],
        kind=row["kind"],
        session=row["session"],
        numbers=(row["first_seq"], row["last_seq"]),
        positions=(row["first"], row["last"]),
        engine=msgspec.json.decode(row["engine"], type=Engine),
        reason=row["reason"],
        attempt=row["attempt"],
        refused=row["refused"],
        invented=row["invented"],
        generation=row["generation"],
        recorded_at=row["recorded_at"],
        position=row["position"],
    )
