"""A page of a whole session, found by the messages' numbers.

Numbers count from 1 without gaps, so the highest is how many there are and a page is
a range of them: no row is skipped one by one, none is counted, however long the
session and however far the page.
"""

from collections.abc import Sequence

from projections.ports import Connection, Row

_FARTHEST = 2**31 - 1


async def read_message_page(
    db: Connection,
    named: tuple[str, str],
    columns: str,
    window: tuple[int, int],
    *,
    descending: bool = False,
) -> tuple[Sequence[Row], int]:
    """Return a page's messages and how many the session (tenant, name) has.

    ``columns`` are those wanted of ``message AS m``, ``window`` is how many messages
    lie before the page, from the end it is read from, and how many it may hold.
    """
    offset, size = window
    if offset >= _FARTHEST:
        offset = _FARTHEST - size
    if descending:
        within, order = "m.seq <= last.n - $3 AND m.seq > last.n - $3 - $4", "DESC"
    else:
        within, order = "m.seq > $3 AND m.seq <= $3 + $4", "ASC"
    rows = await db.fetch(
        f"""
        SELECT {columns}, m.seq, last.n FROM (
            SELECT coalesce(max(seq), 0)::bigint AS n FROM message
            WHERE tenant = $1 AND session = $2
        ) AS last
        LEFT JOIN message AS m ON m.tenant = $1 AND m.session = $2 AND {within}
        ORDER BY m.seq {order}
        """,  # noqa: S608  columns of the code
        *named,
        offset,
        size,
    )
    found = [row for row in rows if row["seq"] is not None]
    return found, rows[0]["n"]
