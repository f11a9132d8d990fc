"""Letters that wait to be sent (``work.letter``): they outlive whoever wrote them."""

from collections.abc import Collection, Sequence
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg
import msgspec

_PUT: Final = """
INSERT INTO work.letter (id, key, value, headers) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""

# Who sends has a while for it; then another does, for it may be gone. What could not
# be sent waits behind the others: it may never be.
_TAKE: Final = """
UPDATE work.letter SET due_at = clock_timestamp() + interval '60 seconds'
WHERE id IN (
    SELECT id FROM work.letter WHERE due_at <= clock_timestamp()
    ORDER BY due_at, written_at, id LIMIT $1 FOR UPDATE SKIP LOCKED
)
RETURNING id, key, value, headers, written_at
"""

_FOUND: Final = """
SELECT (SELECT count(*) FROM work.letter) AS waiting,
    ARRAY(SELECT id FROM work.letter WHERE id = ANY ($1::uuid[])) AS known
"""

_AGAIN: Final = "UPDATE work.letter SET due_at = now() WHERE id = ANY ($1::uuid[])"
_SENT: Final = "DELETE FROM work.letter WHERE id = ANY ($1::uuid[])"

MOST: Final = 10_000
"""Letters that wait, about: whatever is in a topic may be no event of ours."""

Db: TypeAlias = asyncpg.Pool | asyncpg.Connection

Header = tuple[str, bytes]


class Letter(msgspec.Struct, frozen=True):
    """What is sent: the record as it was, and why it is here."""

    id: UUID
    key: bytes | None
    value: bytes | None
    headers: list[Header]


class LetterBox:
    """The table; several processes put letters in and take them out."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def put(self, letters: Sequence[Letter], db: Db | None = None) -> None:
        """Let letters wait; one that waits already is the same."""
        rows = [(e.id, e.key, e.value, _ENCODE(e.headers)) for e in letters]
        await (db or self._pool).executemany(_PUT, rows)

    async def offer(self, letters: Sequence[Letter]) -> int:
        """Let letters wait for which there is room; return how many are dropped."""
        found = await self._pool.fetchrow(_FOUND, [each.id for each in letters])
        new = [each for each in letters if each.id not in set(found["known"])]
        room = max(0, MOST - found["waiting"])
        await self.put(new[:room])
        return len(new[room:])

    async def is_full(self) -> bool:
        """Tell whether what can be told of later had better wait where it is."""
        found = await self._pool.fetchrow(_FOUND, [])
        return bool(found["waiting"] >= MOST)

    async def take(self, most: int) -> list[Letter]:
        """Return what nobody else is sending, to be sent within a minute."""
        rows = await self._pool.fetch(_TAKE, most)
        return [
            Letter(row["id"], row["key"], row["value"], _DECODE(row["headers"]))
            for row in sorted(rows, key=lambda row: (row["written_at"], row["id"]))
        ]

    async def sent(self, ids: Collection[UUID]) -> None:
        """Forget those that were sent."""
        await self._pool.execute(_SENT, list(ids))

    async def again(self, ids: Collection[UUID]) -> None:
        """Let those wait on that could not be sent."""
        await self._pool.execute(_AGAIN, list(ids))


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(list[Header]).decode
