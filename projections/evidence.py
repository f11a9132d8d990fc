"""Evidence: which messages a conclusion rests on, and what rests on a message."""

from collections.abc import Sequence
from typing import Any

import msgspec

from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReworded,
)
from domain.recorded import Recorded
from projections.as_of import NOW
from projections.ports import Connection


class Evidence:
    """The table ``evidence``: one row for each conclusion and message.

    ``conclusion`` is the id it was derived under, whoever sees it; ``position`` is
    when the message was first cited for it. ``worded`` are messages whose words it is
    told in: without one of them nobody knows how to tell it.
    """

    name = "evidence"
    version = 2
    tables = """
        CREATE TABLE evidence (
            tenant     text COLLATE "C" NOT NULL,
            conclusion text COLLATE "C" NOT NULL,
            message    text COLLATE "C" NOT NULL,
            session    text COLLATE "C" NOT NULL,
            seq        integer NOT NULL,
            position   bigint NOT NULL,
            worded     boolean NOT NULL DEFAULT FALSE,
            PRIMARY KEY (tenant, conclusion, message)
        );
    """
    indexes = """
        CREATE INDEX evidence_message ON evidence (tenant, message);
    """
    handles = (ConclusionDerived, ConclusionReinforced, ConclusionReworded)

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        sent: dict[tuple[str, str, str], tuple[Any, ...]] = {}
        for recorded in batch:
            event = recorded.event
            if not isinstance(event, ConclusionDerived | ConclusionReinforced):
                continue
            worded = isinstance(event, ConclusionReworded) and event.fuller
            for e in event.evidence:
                key = (event.workspace, event.id, e.message)
                first = sent.get(key, (*key, e.session, e.seq, recorded.position))
                sent[key] = (*first[:6], worded or (len(first) > 6 and first[6]))  # noqa: PLR2004
        if sent:
            await db.execute(_INSERT, *map(list, zip(*sent.values(), strict=True)))


# Of two citations the first is kept.
_INSERT = """
    INSERT INTO evidence AS t
        (tenant, conclusion, message, session, seq, position, worded)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[],
                         $6::bigint[], $7::boolean[])
    ON CONFLICT (tenant, conclusion, message) DO UPDATE SET worded = TRUE
        WHERE excluded.worded AND NOT t.worded
"""


class Cited(msgspec.Struct, frozen=True):
    """A message a conclusion rests on, cited since ``position``."""

    conclusion: str
    message: str
    session: str
    seq: int
    position: int


async def evidence_of(
    db: Connection, tenant: str, origins: Sequence[str], as_of: int = NOW
) -> list[Cited]:
    """Return what these conclusions rest on, in the order it was said."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM evidence"  # noqa: S608  constants
        " WHERE tenant = $1 AND conclusion = ANY($2::text[]) AND position <= $3"
        " ORDER BY conclusion, session, seq, message",
        tenant,
        list(origins),
        as_of,
    )
    return [Cited(*(row[n] for n in range(5))) for row in rows]


async def resting_on(
    db: Connection, tenant: str, messages: Sequence[str], as_of: int = NOW
) -> list[Cited]:
    """Return what rests on these messages, in the order it was concluded."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM evidence"  # noqa: S608  constants
        " WHERE tenant = $1 AND message = ANY($2::text[]) AND position <= $3"
        " ORDER BY position, conclusion, message",
        tenant,
        list(messages),
        as_of,
    )
    return [Cited(*(row[n] for n in range(5))) for row in rows]


_COLUMNS = "conclusion, message, session, seq, position"
