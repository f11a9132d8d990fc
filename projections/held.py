"""What a collection holds, as that on which something may be built."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from domain.conclusion import Level
from projections.ports import Connection


class HeldRow(msgspec.Struct, frozen=True, kw_only=True):
    """A conclusion its observer holds; ``origin`` is the id it was derived under."""

    id: str
    origin: str
    session: str | None
    level: Level
    occurred_at: datetime
    born: int
    named: bool
    sessions: list[str]


async def find_held(
    db: Connection, pair: tuple[str, str, str], ids: Sequence[str]
) -> list[HeldRow]:
    """Return what the (workspace, observer, observed) holds of these.

    They may be named by the id of the observer's row or by that of the origin.
    """
    rows = await db.fetch(_HELD, *pair, list(ids))
    return [HeldRow(**{n: row[n] for n in HeldRow.__struct_fields__}) for row in rows]


_HELD: Final = """
    SELECT c.id, c.origin, c.session, c.level, c.occurred_at, c.born, c.named,
        c.sessions
    FROM (
        SELECT id, from_position FROM conclusion
        WHERE tenant = $1 AND id = ANY ($4::text[]) AND to_position IS NULL
        UNION
        SELECT id, from_position FROM conclusion
        WHERE tenant = $1 AND origin = ANY ($4::text[]) AND to_position IS NULL
    ) AS g
    JOIN conclusion AS c ON c.tenant = $1 AND c.id = g.id
        AND c.from_position = g.from_position
    WHERE c.observer = $2 AND c.observed = $3
    ORDER BY c.born, c.id
"""
