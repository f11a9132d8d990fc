"""A page of a whole session, found by the messages' numbers.

Numbers count from 1 without gaps, so the highest is how many there are and a page is
a range of them: no row is skipped one by one, none is counted, however long the
session and however far the page.
"""

import msgspec

from projections.ports import Connection

_FARTHEST = 2**31 - 1


async def read_message_page(
    db: Connection,
    tenant: str,
    session: str,
    window: tuple[int, int],
    *,
    descending: bool = False,
) -> tuple[msgspec.Raw, int]:
    """Return a page's messages and how many the session has.

    They are the JSON of an array of ``MessageBody``. ``window`` is how many messages
    lie before the page, from the end it is read from, and how many it may hold.
    """
    offset, size = window
    row = await db.fetchrow(
        _LAST_FIRST if descending else _FIRST_FIRST,
        tenant,
        session,
        min(offset, _FARTHEST - size),
        size,
    )
    if row is None:  # pragma: no cover  an aggregate is always one row
        return msgspec.Raw(b"[]"), 0
    return msgspec.Raw(b"[" + (row["bodies"] or b"") + b"]"), row["n"]


_PAGE = """
    SELECT last.n, (
        SELECT string_agg(body, ',' ORDER BY seq {order}) FROM message
        WHERE tenant = $1 AND session = $2 AND {within}
    ) AS bodies
    FROM (
        SELECT coalesce(max(seq), 0)::bigint AS n FROM message
        WHERE tenant = $1 AND session = $2
    ) AS last
"""
_FIRST_FIRST = _PAGE.format(
    order="ASC", within="seq > $3::bigint AND seq <= $3::bigint + $4::bigint"
)
_LAST_FIRST = _PAGE.format(
    order="DESC",
    within="seq <= last.n - $3::bigint AND seq > last.n - $3::bigint - $4::bigint",
)
