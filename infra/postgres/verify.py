"""Recomputes the hash chain over the log and names the first place it breaks.

The link on the last event of each commit is SHA-256 over the link before it and the
digests of the commit's events; a digest covers every stored column. It covers sealed
bytes, so it holds after any erasure. What it cannot show is that the newest events
were cut off: compare the head with one written down elsewhere.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from struct import Struct
from typing import Any, Final

import asyncpg
import msgspec

GENESIS: Final = bytes(32)
"""The link before the first."""

_FIXED: Final = Struct(">qq16sih5i")
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_PAGE = """
SELECT position, recorded_at, id, version, shard, stream, tenant, type, meta, data, link
FROM log.event WHERE position > $1 ORDER BY position LIMIT 2000
"""


class Verified(msgspec.Struct, frozen=True):
    """The chain holds up to ``position``, whose link is ``link``.

    ``broken`` is the position of the first link that does not match, or of the first
    event missing; None when the whole log holds.
    """

    position: int
    link: bytes
    broken: int | None = None


async def verify_chain(pool: asyncpg.Pool) -> Verified:
    """Read the whole log and check every link."""
    held, link = 0, GENESIS
    position, digests = 0, sha256(link)
    while rows := await pool.fetch(_PAGE, position):
        for row in rows:
            if row["position"] != position + 1:
                return Verified(held, link, position + 1)
            position += 1
            digests.update(digest_of(row))
            if row["link"] is None:
                continue
            if row["link"] != digests.digest():
                return Verified(held, link, position)
            held, link = position, row["link"]
            digests = sha256(link)
    return Verified(held, link, None if held == position else position)


def digest_of(row: Any) -> bytes:
    """Hash one event as ``log.append`` does."""
    texts = [row[name].encode() for name in ("stream", "tenant", "type")]
    parts = [*texts, row["meta"], row["data"]]
    fixed = _FIXED.pack(
        row["position"],
        (row["recorded_at"] - _EPOCH) // _MICROSECOND,
        row["id"].bytes,
        row["version"],
        row["shard"],
        *map(len, parts),
    )
    return sha256(b"".join((fixed, *parts))).digest()
