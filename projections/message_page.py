"""A page of a whole session, found by the messages' numbers.

Numbers count from 1 without gaps, so the highest is how many there are and a page is
a range of them: no row is skipped one by one, none is counted, however long the
session and however far the page.
"""

import msgspec

from projections.as_of import NOW
from projections.condition import Bind
from projections.message_rows import body_at, last_number
from projections.ports import Connection

_FARTHEST = 2**31 - 1


async def read_message_page(
    db: Connection,
    tenant: str,
    session: str,
    window: tuple[int, int],
    *,
    descending: bool = False,
    as_of: int = NOW,
) -> tuple[msgspec.Raw, int]:
    """Return a page's messages and how many the session has, or had at a position.

    They are the JSON of an array of ``MessageBody``. ``window`` is how many messages
    lie before the page, from the end it is read from, and how many it may hold.
    """
    offset, size = window
    bind = Bind(tenant, session, min(offset, _FARTHEST - size), size)
    last = _LAST
    if as_of != NOW:
        last = f"SELECT {bind(await last_number(db, tenant, session, as_of))}::int AS n"
    statement = _PAGE.format(
        body=body_at(as_of)(bind),
        last=last,
        order="DESC" if descending else "ASC",
        within=_LAST_FIRST if descending else _FIRST_FIRST,
    )
    row = await db.fetchrow(statement, *bind.values)
    if row is None:  # pragma: no cover  an aggregate is always one row
        return msgspec.Raw(b"[]"), 0
    return msgspec.Raw(b"[" + (row["bodies"] or b"") + b"]"), row["n"]


_PAGE = """
    SELECT last.n, (
        SELECT string_agg({body}, ',' ORDER BY m.seq {order}) FROM message AS m
        WHERE m.tenant = $1 AND m.session = $2 AND {within}
    ) AS bodies
    FROM ({last}) AS last
"""
_LAST = """
    SELECT coalesce(max(seq), 0)::bigint AS n FROM message
    WHERE tenant = $1 AND session = $2
"""
_FIRST_FIRST = "m.seq > $3::bigint AND m.seq <= least(last.n, $3::bigint + $4::bigint)"
_LAST_FIRST = (
    "m.seq <= last.n - $3::bigint AND m.seq > last.n - $3::bigint - $4::bigint"
)
