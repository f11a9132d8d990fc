"""What of a session fits into a budget of tokens: a summary and the newest messages.

The arithmetic is HC 6.5's; tokens are o200k_base.
"""

import msgspec

from projections.as_of import NOW
from projections.condition import Bind
from projections.message_rows import body_at, last_number
from projections.ports import Connection
from projections.summaries import Summary
from projections.withheld import recalled

MOST_TOKENS = 100_000
"""The largest budget unless settings say otherwise, and the one if none is given."""

_SUMMARY_SHARE = 0.4


class Fitted(msgspec.Struct, frozen=True):
    """The summary that was chosen, if any, and the room its messages have.

    Messages start at ``from_seq``: the last one a summary covers is repeated.
    """

    summary: Summary | None
    from_seq: int
    room: int


def fit(budget: int, short: Summary | None, long: Summary | None) -> Fitted:
    """Choose a summary within two fifths of the budget; messages get all the rest."""
    if budget <= 0:
        return Fitted(None, 0, 0)
    share = int(_SUMMARY_SHARE * budget)
    short_tokens = short.tokens if short else 0
    chosen = None
    if long and short_tokens < long.tokens <= share:
        chosen = long
    elif short and 0 < short_tokens <= share:
        chosen = short
    if chosen is None:
        return Fitted(None, 0, budget)
    return Fitted(chosen, chosen.to_seq, budget - chosen.tokens)


async def newest_that_fit(
    db: Connection, tenant: str, session: str, fitted: Fitted, as_of: int = NOW
) -> msgspec.Raw:
    """Return the newest messages that fit the room together, oldest first.

    They are the newest there were at a position, as the JSON of an array of
    ``MessageBody``, put together by the database. The newest message alone may be too
    large: then nothing fits, nothing is skipped. However many cost none, no more are
    taken than the largest budget has tokens. Withheld ones are passed over.
    """
    parts: list[bytes] = []
    room, before, page, left = fitted.room, _AFTER_ALL, _FIRST_PAGE, MOST_TOKENS
    if as_of != NOW:
        before = 1 + await last_number(db, tenant, session, as_of)
    while fitted.room > 0 and left > 0:
        page = min(page, left)
        bind = Bind(tenant, session, fitted.from_seq, before, page, room)
        statement = _NEWEST.format(
            body=body_at(as_of)(bind), recalled=recalled(as_of, _HERE)(bind)
        )
        row = await db.fetchrow(statement, *bind.values)
        if row is None or not row["taken"]:
            break
        parts.append(row["bodies"])
        if row["taken"] < page:
            break
        room, left = room - row["cost"], left - page
        before, page = row["first"], page * _GROWTH
    return msgspec.Raw(b"[" + b",".join(parts[::-1]) + b"]")


_HERE = "h.tenant = $1 AND h.session = $2"
_AFTER_ALL = 2**31 - 1
_FIRST_PAGE = 256
_GROWTH = 4
_NEWEST = """
    SELECT string_agg({body}, ',' ORDER BY m.seq) AS bodies, count(*) AS taken,
        min(m.seq) AS first, max(m.running)::bigint AS cost
    FROM (
        SELECT m.tenant, m.session, m.seq, m.id, m.body,
            sum(m.tokens) OVER (ORDER BY m.seq DESC) AS running
        FROM message AS m
        WHERE m.tenant = $1 AND m.session = $2 AND m.seq >= $3 AND m.seq < $4
            AND {recalled}
        ORDER BY m.seq DESC LIMIT $5
    ) AS m
    WHERE m.running <= $6
"""
