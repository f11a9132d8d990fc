"""Messages as a statement reads them: as they are now, or as they were.

A message is never taken back, only its metadata changes: as of a position are the
messages said by then, each with what it had until the first change after it.
"""

from collections.abc import Sequence

from projections.as_of import NOW
from projections.condition import Bind, Condition
from projections.ports import Connection


def message_rows(as_of: int) -> Condition:
    """Write what follows FROM: the messages there were, aliased ``m``."""
    if as_of == NOW:
        return lambda _bind: "message AS m"

    def write(bind: Bind) -> str:
        at = bind(as_of)
        return f"({_THEN.format(at=at)}) AS m"

    return write


def body_at(as_of: int) -> Condition:
    """Write the JSON of a message of the table itself, as it was then."""
    if as_of == NOW:
        return lambda _bind: "m.body"
    return lambda bind: _former("body", bind(as_of))


async def last_number(db: Connection, tenant: str, session: str, as_of: int) -> int:
    """Return the number of the last message said by a position, 0 if there is none."""
    [number] = await last_numbers(db, tenant, session, [as_of])
    return number


async def last_numbers(
    db: Connection, tenant: str, session: str, positions: Sequence[int]
) -> list[int]:
    """Return the number of the last message said by each of these positions.

    Numbers count from 1 without gaps and grow with positions, so they are found by
    halving, however long the session has become since.
    """
    rows = await db.fetch(_LAST, tenant, session, list(positions))
    return [row["low"] for row in rows]


_LAST = """
    WITH RECURSIVE halved (place, position, low, high) AS (
        SELECT g.place, g.position, 0, (
            SELECT coalesce(max(seq), 0) FROM message
            WHERE tenant = $1 AND session = $2)
        FROM unnest($3::bigint[]) WITH ORDINALITY AS g(position, place)
        UNION ALL
        SELECT h.place, h.position,
            CASE WHEN m.position <= h.position THEN m.seq ELSE h.low END,
            CASE WHEN m.position <= h.position THEN h.high ELSE m.seq - 1 END
        FROM halved AS h JOIN message AS m
            ON m.tenant = $1 AND m.session = $2 AND m.seq = (h.low + h.high + 1) / 2
        WHERE h.low < h.high
    )
    SELECT low FROM halved WHERE low = high ORDER BY place
"""


def _former(column: str, at: str) -> str:
    return (
        f"coalesce((SELECT f.{column} FROM former_metadata AS f"  # noqa: S608  our own names
        " WHERE f.tenant = m.tenant AND f.session = m.session AND f.id = m.id"
        f" AND f.position > {at} ORDER BY f.position LIMIT 1), m.{column})"
    )


# Where a statement does not speak of what may have changed, it is not looked up.
_THEN = f"""
    SELECT m.tenant, m.session, m.seq, m.id, m.peer, m.content, m.created_at,
        m.came_at, m.tokens, m.position, m.words,
        {_former("metadata", "{at}")} AS metadata, {_former("body", "{at}")} AS body
    FROM message AS m WHERE m.position <= {{at}}
"""  # noqa: S608  our own names
