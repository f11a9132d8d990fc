"""Messages quoted by their ids: who said what, when and where."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from projections.as_of import NOW
from projections.ports import Connection


class Quoted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said; ``length`` is that of the whole text in characters."""

    id: str
    session: str
    seq: int
    peer: str
    created_at: datetime
    position: int
    content: str
    length: int


async def quote_messages(
    db: Connection, tenant: str, ids: Sequence[str], most: int, as_of: int = NOW
) -> list[Quoted]:
    """Return messages in the order they came, the first ``most`` characters of each."""
    rows = await db.fetch(_QUOTED, tenant, list(ids), as_of, most)
    names = Quoted.__struct_fields__
    return [Quoted(**{name: row[name] for name in names}) for row in rows]


_QUOTED: Final = """
    SELECT id, session, seq, peer, created_at, position, left(content, $4) AS content,
        length(content) AS length
    FROM message WHERE tenant = $1 AND id = ANY($2::text[]) AND position <= $3
    ORDER BY position
"""
