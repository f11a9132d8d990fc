"""Recomputes the hash chain over the log and names the first place it breaks.

Each event carries its digest, SHA-256 over every other stored column; the last of a
commit carries a link, SHA-256 over the link before it and the commit's digests. Both
cover sealed bytes, so they hold after any erasure. They are computed here, not asked of
the database that is to be judged. What they cannot show is that the newest events were
cut off, or that somebody made the whole chain anew: for that there are signed
checkpoints (``infra/proof``).
"""

from collections.abc import Callable
from hashlib import sha256
from struct import Struct
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg
import msgspec

GENESIS: Final = bytes(32)
"""The link before the first."""

BEYOND: Final = 2**62
"""Further than any log goes."""

PAGE: Final = 2_000
"""Most events read at once."""

_FIXED: Final = Struct(">q8s16sih5i")

# The time as it is stored: what is changed may lie beyond the years Python knows.
_ROWS: Final = """
SELECT position, timestamptz_send(recorded_at) AS at, id, version, shard,
       stream, tenant, type, meta, data, digest, link
FROM log.event WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3
"""

UNREADABLE: Final = (
    asyncpg.DataCorruptedError,
    asyncpg.IndexCorruptedError,
    UnicodeDecodeError,
)
"""What reading bytes raises that were changed below the database."""

Broken = Literal["missing", "changed", "digest", "link", "unfinished", "unreadable"]


class Break(msgspec.Struct, frozen=True):
    """The first place where the log is not what was recorded.

    ``position`` is the place; it lies between ``first`` and it where only a whole
    commit can be named. ``event`` is the id that stands there, None if none does.

    ``what``: a position is ``missing``; the event's bytes or its digest are
    ``changed``; it has no ``digest`` though later or earlier ones have; the ``link`` is
    another, or an event from before there were digests; the newest commit is
    ``unfinished``: its last events, or its link, are gone; the database finds the
    bytes ``unreadable``.
    """

    position: int
    what: Broken
    first: int
    event: UUID | None = None


class Verified(msgspec.Struct, frozen=True):
    """The chain holds up to ``position``, whose link is ``link``.

    ``broken`` is where it does not; None when all that was read holds. ``undigested``
    counts events that only their commit's link covers.
    """

    position: int
    link: bytes
    broken: Break | None = None
    undigested: int = 0


async def verify_chain(
    db: asyncpg.Pool | asyncpg.Connection,
    through: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
    each: Callable[[Any], None] = lambda _: None,
) -> Verified:
    """Read the log, up to its head or a commit's last position, and check all of it.

    It may grow meanwhile. ``progress`` is told how far the reading is; ``each`` is
    given every row that holds (position, id, type, data and the other columns).
    """
    if through is None:
        through = await find_head(db)
    chain = _Chain()
    while chain.position < through:
        rows = await _page(db, chain.position, through)
        if isinstance(rows, Break):
            return chain.verified(rows)
        if not rows:
            break
        for row in rows:
            if (broken := chain.follow(row)) is not None:
                return chain.verified(broken)
            each(row)
        progress(chain.position)
    return chain.verified(chain.end(through))


async def find_head(db: asyncpg.Pool | asyncpg.Connection) -> int:
    """Return the log's head; where it cannot be read, a position beyond any."""
    try:
        head: int = await db.fetchval(
            "SELECT coalesce(max(position), 0) FROM log.event"
        )
    except UNREADABLE:
        return BEYOND
    return head


async def _page(
    db: asyncpg.Pool | asyncpg.Connection, after: int, through: int
) -> list[asyncpg.Record] | Break:
    """Return the next rows; the first that cannot be read when none can before it."""
    rows: list[asyncpg.Record] = []
    try:
        rows = await db.fetch(_ROWS, after, through, PAGE)
    except UNREADABLE:
        return await _one_by_one(db, after, through)
    return rows


async def _one_by_one(
    db: asyncpg.Pool | asyncpg.Connection, after: int, through: int
) -> list[asyncpg.Record] | Break:
    rows: list[asyncpg.Record] = []
    try:
        while len(rows) < PAGE:
            one = await db.fetch(_ROWS, after + len(rows), through, 1)
            if not one:
                break
            rows += one
    except UNREADABLE:
        if not rows:
            return Break(after + 1, "unreadable", after + 1)
    return rows


class _Chain:
    """Goes along the log row by row and knows what the next row must be."""

    def __init__(self) -> None:
        self.position = 0
        self.undigested = 0
        self._held, self._link = 0, GENESIS
        self._digests = sha256(GENESIS)
        self._at: bytes | None = None
        self._digested = False

    def follow(self, row: Any) -> Break | None:
        """Take the next row into account; return what is wrong with it, or before."""
        position, event = row["position"], row["id"]
        if position != self.position + 1:
            missing = self.position + 1
            return Break(missing, "missing", missing)
        digest = digest_of(row)
        if (broken := self._digest(row, digest)) is not None:
            return broken
        if self._digested and self._at not in {None, row["at"]}:
            # A commit has one time: the one before ended without its link.
            return Break(position - 1, "link", position - 1)
        self.position = position
        self._digests.update(digest)
        self._at = row["at"]
        if row["link"] is None:
            return None
        if row["link"] != self._digests.digest():
            return Break(position, "link", self._held + 1, event)
        self._held, self._link = position, row["link"]
        self._digests, self._at = sha256(self._link), None
        return None

    def end(self, through: int) -> Break | None:
        """Tell what is missing where the reading ended."""
        if self._held < self.position:
            return Break(self.position + 1, "unfinished", self.position)
        if self.position < through:
            missing = self.position + 1
            return Break(missing, "missing", missing)
        return None

    def verified(self, broken: Break | None) -> Verified:
        return Verified(self._held, self._link, broken, self.undigested)

    def _digest(self, row: Any, digest: bytes) -> Break | None:
        """Check what a row keeps as its digest; they begin with some commit."""
        position, kept = row["position"], row["digest"]
        first = position if self._digested else self._held + 1
        if kept is None:
            if self._digested:
                return Break(position, "digest", position, row["id"])
            self.undigested += 1
        elif kept != digest:
            return Break(position, "changed", first, row["id"])
        elif first != position:
            return Break(position - 1, "digest", first)
        else:
            self._digested = True
        return None


def digest_of(row: Any) -> bytes:
    """Hash one event as ``log.append`` does."""
    texts = [row[name].encode() for name in ("stream", "tenant", "type")]
    parts = [*texts, row["meta"], row["data"]]
    fixed = _FIXED.pack(
        row["position"],
        row["at"],
        row["id"].bytes,
        row["version"],
        row["shard"],
        *map(len, parts),
    )
    return sha256(b"".join((fixed, *parts))).digest()
