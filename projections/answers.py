"""Answers: who was asked what when, and what each answer rests on; never its words.

What was asked and answered has a data key to itself, which goes with any session that
is quoted; a copy here would outlive it.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.question import QuestionAnswered
from domain.recorded import Recorded
from projections.as_of import NOW
from projections.columns import as_utc
from projections.ports import Connection, Row


class Answers:
    """The tables ``answer``, a row for each question, and ``citation``.

    ``cited`` is a message's public id, or the id a conclusion was derived under; what
    is erased may be cited on.
    """

    name = "answers"
    version = 1
    tables = """
        CREATE TABLE answer (
            tenant      text COLLATE "C" NOT NULL,
            id          text COLLATE "C" NOT NULL,
            peer        text COLLATE "C" NOT NULL,
            target      text COLLATE "C" NOT NULL,
            session     text COLLATE "C",
            level       text COLLATE "C" NOT NULL,
            as_of       bigint NOT NULL,
            answered_at timestamptz NOT NULL,
            position    bigint NOT NULL,
            PRIMARY KEY (tenant, id)
        );
        CREATE TABLE citation (
            tenant   text COLLATE "C" NOT NULL,
            answer   text COLLATE "C" NOT NULL,
            cited    text COLLATE "C" NOT NULL,
            kind     text COLLATE "C" NOT NULL,
            session  text COLLATE "C",
            number   integer NOT NULL,
            position bigint NOT NULL,
            PRIMARY KEY (tenant, answer, kind, cited)
        );
    """
    indexes = """
        CREATE INDEX citation_cited ON citation (tenant, cited, position);
    """
    handles = (QuestionAnswered,)

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        asked = [
            (
                event.workspace,
                event.id,
                event.peer,
                event.target,
                event.session,
                event.level,
                event.as_of,
                as_utc(event.answered_at),
                recorded.position,
            )
            for recorded in batch
            if isinstance(event := recorded.event, QuestionAnswered)
        ]
        if asked:
            await db.execute(_INSERT, *map(list, zip(*asked, strict=True)))
        cited = [
            (event.workspace, event.id, id_, kind, event.session, n, recorded.position)
            for recorded in batch
            if isinstance(event := recorded.event, QuestionAnswered)
            for kind, ids in (
                ("conclusion", event.conclusions),
                ("message", event.messages),
            )
            for n, id_ in enumerate(ids)
        ]
        if cited:
            await db.execute(_CITE, *map(list, zip(*cited, strict=True)))


_INSERT = """
    INSERT INTO answer (tenant, id, peer, target, session, level, as_of, answered_at,
        position)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
        $6::text[], $7::bigint[], $8::timestamptz[], $9::bigint[])
    ON CONFLICT DO NOTHING
"""

_CITE = """
    INSERT INTO citation (tenant, answer, cited, kind, session, number, position)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
        $6::int[], $7::bigint[])
    ON CONFLICT DO NOTHING
"""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer; ``cited`` is what was asked for of what it rests on, as it cites it.

    ``peer`` and ``target`` are ``*`` where all of a workspace was asked.
    """

    id: str
    peer: str
    target: str
    session: str | None
    level: str
    as_of: int
    answered_at: datetime
    position: int
    cited: list[str]


async def answers_citing(
    db: Connection, tenant: str, cited: Sequence[str], limit: int, as_of: int = NOW
) -> list[Answer]:
    """Return the first ``limit`` answers that rest on any of these, in their order."""
    rows = await db.fetch(_CITING, tenant, list(cited), as_of, limit)
    return [_answer(row) for row in rows]


async def get_answer(
    db: Connection, tenant: str, id_: str, as_of: int = NOW
) -> tuple[Answer, list[str]] | None:
    """Return an answer with the conclusions it cites, and the messages it cites."""
    row = await db.fetchrow(_ONE, tenant, id_, as_of)
    return None if row is None else (_answer(row), list(row["messages"]))


# The first of all are among the first of each, however often one has been cited.
_CITING = """
    WITH first AS MATERIALIZED (
        SELECT DISTINCT f.position, f.answer
        FROM unnest($2::text[]) AS g(cited)
        CROSS JOIN LATERAL (
            SELECT c.answer, c.position FROM citation AS c
            WHERE c.tenant = $1 AND c.cited = g.cited AND c.position <= $3
            ORDER BY c.position LIMIT $4
        ) AS f
        ORDER BY f.position LIMIT $4
    )
    SELECT a.id, a.peer, a.target, a.session, a.level, a.as_of, a.answered_at,
        a.position, ARRAY(SELECT c.cited FROM citation AS c WHERE c.tenant = $1
            AND c.answer = a.id AND c.cited = ANY($2::text[])
            ORDER BY c.kind, c.number) AS cited
    FROM first JOIN answer AS a ON a.tenant = $1 AND a.id = first.answer
    ORDER BY a.position
"""

_ONE = """
    SELECT a.id, a.peer, a.target, a.session, a.level, a.as_of, a.answered_at,
        a.position, ARRAY(SELECT c.cited FROM citation AS c WHERE c.tenant = a.tenant
            AND c.answer = a.id AND c.kind = 'conclusion' ORDER BY c.number) AS cited,
        ARRAY(SELECT c.cited FROM citation AS c WHERE c.tenant = a.tenant
            AND c.answer = a.id AND c.kind = 'message' ORDER BY c.number) AS messages
    FROM answer AS a WHERE a.tenant = $1 AND a.id = $2 AND a.position <= $3
"""


def _answer(row: Row) -> Answer:
    return Answer(**{name: row[name] for name in Answer.__struct_fields__})
