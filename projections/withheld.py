"""Messages that are withheld from recall, as it stands and as it stood."""

from collections.abc import Sequence

from domain.recorded import Recorded
from domain.withholding import MessagesRestored, MessagesWithheld
from projections.as_of import NOW, holding
from projections.condition import Bind, Condition
from projections.ports import Connection


class Withheld:
    """The table ``withheld``: a row for each message and time it is not recalled.

    The messages themselves stay as they are, and are listed.
    """

    name = "withheld"
    version = 1
    tables = """
        CREATE TABLE withheld (
            tenant        text COLLATE "C" NOT NULL,
            session       text COLLATE "C" NOT NULL,
            message       text COLLATE "C" NOT NULL,
            unit          text COLLATE "C" NOT NULL,
            from_position bigint NOT NULL,
            to_position   bigint,
            PRIMARY KEY (tenant, message, from_position)
        );
    """
    indexes = """
        CREATE INDEX withheld_now ON withheld (tenant, session)
            WHERE to_position IS NULL;
    """
    handles = (MessagesWithheld, MessagesRestored)

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            event = recorded.event
            if not isinstance(event, MessagesWithheld | MessagesRestored):
                continue
            named = (event.workspace, event.session, event.unit, list(event.messages))
            statement = _BEGIN if isinstance(event, MessagesWithheld) else _END
            await db.execute(statement, *named, recorded.position)


def recalled(as_of: int = NOW, within: str = "h.tenant = $1") -> Condition:
    """Hold for messages ``m`` that are not withheld at a position.

    Of a statement whose first argument is the tenant. Most have nothing withheld
    ``within``, which is looked up once: each message then costs nothing.
    """

    def write(bind: Bind) -> str:
        return (
            f"(NOT EXISTS (SELECT FROM withheld AS h WHERE {within}"  # noqa: S608  our own words
            f" AND {holding(as_of, 'h')(bind)})"
            " OR NOT EXISTS (SELECT FROM withheld AS q WHERE q.tenant = $1"
            f" AND q.message = m.id AND {holding(as_of, 'q')(bind)}))"
        )

    return write


_BEGIN = """
    INSERT INTO withheld (tenant, session, message, unit, from_position)
    SELECT $1, $2, g.message, $3, $5 FROM unnest($4::text[]) AS g(message)
    WHERE NOT EXISTS (SELECT FROM withheld AS q WHERE q.tenant = $1
        AND q.message = g.message AND q.from_position < $5
        AND (q.to_position IS NULL OR q.to_position > $5))
    ON CONFLICT DO NOTHING
"""

_END = """
    UPDATE withheld SET to_position = $5
    WHERE tenant = $1 AND session = $2 AND unit = $3 AND message = ANY ($4::text[])
        AND to_position IS NULL AND from_position < $5
"""
