"""What of a session somebody heard, by the log's own order (RS 14 items 17, 18)."""

from collections.abc import Sequence

import msgspec

from domain.names import SCOPE_PREFIX
from projections.as_of import NOW, holding
from projections.condition import Bind
from projections.message_rows import last_numbers
from projections.ports import Connection, Row
from projections.withheld import recalled


class Hearing(msgspec.Struct, frozen=True):
    """The numbers of the ``first`` and the ``last`` message that were heard.

    ``last`` is None for whoever is there still. Withheld messages are no first one:
    nothing tells of them.
    """

    first: int
    last: int | None


async def get_hearing(
    db: Connection, tenant: str, session: str, peer: str, as_of: int = NOW
) -> Hearing | None:
    """Return what a peer heard of a session by a position; None if nothing.

    It heard what was said while it took part, and what it said itself: also where
    that was copied from another session before it was a member here. A scope hears
    all of the sessions it holds (RS 2.8).
    """
    named = (tenant, session)
    if peer.startswith(SCOPE_PREFIX) and await _holds(db, named, peer, as_of):
        spans, there = [(1, _ENDLESS)], True
    else:
        spans, there = await _spans(db, named, peer, as_of)
    own = await _copies(db, named, peer, as_of)
    first = await _first(db, named, [*spans, *((n, n) for n in own)], as_of)
    if first is None:
        return None
    last = max([last for _, last in spans] + own)
    return Hearing(first, None if there else last)


_ENDLESS = 2**31 - 1


async def _holds(db: Connection, named: tuple[str, str], peer: str, as_of: int) -> bool:
    bind = Bind(*named, peer.removeprefix(SCOPE_PREFIX))
    held: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM scope_session WHERE tenant = $1"  # noqa: S608  every value is bound
        f" AND session = $2 AND scope = $3 AND active AND {holding(as_of)(bind)})",
        *bind.values,
    )
    return held


async def _spans(
    db: Connection, named: tuple[str, str], peer: str, as_of: int
) -> tuple[list[tuple[int, int]], bool]:
    """Return the runs of numbers said while a peer took part, and if it does."""
    rows = await db.fetch(_STATES, *named, peer, as_of)
    stays = _stays(rows, as_of)
    bounds = [bound for since, until in stays for bound in (since - 1, until)]
    numbers = await last_numbers(db, *named, bounds) if bounds else []
    spans = [
        (before + 1, last)
        for before, last in zip(numbers[::2], numbers[1::2], strict=True)
        if before < last
    ]
    return spans, bool(rows) and rows[-1]["active"]


def _stays(rows: Sequence[Row], as_of: int) -> list[tuple[int, int]]:
    """Put together states of a membership that follow each other without a break."""
    stays: list[tuple[int, int]] = []
    for row in rows:
        if not row["active"]:
            continue
        since, end = row["from_position"], row["to_position"]
        until = as_of if end is None else min(end - 1, as_of)
        if stays and stays[-1][1] == since - 1:
            since = stays.pop()[0]
        stays.append((since, until))
    return stays


async def _copies(
    db: Connection, named: tuple[str, str], peer: str, as_of: int
) -> list[int]:
    """Return the first and the last of what a peer said before a fork was opened.

    Nothing is said in a session that is not open, but copied.
    """
    opened = await db.fetchval(_OPENED, *named)
    [copied] = await last_numbers(db, *named, [min(opened or 0, as_of)])
    if not copied:
        return []
    bind = Bind(*named, peer, copied)
    row = await db.fetchrow(_OWN.format(recalled=recalled(as_of)(bind)), *bind.values)
    return [] if row is None or row["first"] is None else [row["first"], row["last"]]


async def _first(
    db: Connection,
    named: tuple[str, str],
    spans: Sequence[tuple[int, int]],
    as_of: int,
) -> int | None:
    """Return the first number of these runs that is not withheld."""
    if not spans:
        return None
    since, until = map(list, zip(*spans, strict=True))
    bind = Bind(*named, since, until)
    statement = _FIRST.format(recalled=recalled(as_of)(bind))
    first: int | None = await db.fetchval(statement, *bind.values)
    return first


_STATES = """
    SELECT active, from_position, to_position FROM member
    WHERE tenant = $1 AND session = $2 AND peer = $3 AND from_position <= $4
    ORDER BY from_position
"""
_OPENED = "SELECT min(from_position) FROM session WHERE tenant = $1 AND session = $2"
_OWN = """
    SELECT min(m.seq) AS first, max(m.seq) AS last FROM message AS m
    WHERE m.tenant = $1 AND m.session = $2 AND m.peer = $3 AND m.seq <= $4
        AND {recalled}
"""
_FIRST = """
    SELECT min(f.seq)
    FROM unnest($3::int[], $4::int[]) AS g(first, last)
    CROSS JOIN LATERAL (
        SELECT m.seq FROM message AS m
        WHERE m.tenant = $1 AND m.session = $2 AND m.seq BETWEEN g.first AND g.last
            AND {recalled}
        ORDER BY m.seq LIMIT 1
    ) AS f
"""
