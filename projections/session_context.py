"""What of a session fits into a budget of tokens: a summary and the newest messages.

The arithmetic is HC 6.5's; tokens are o200k_base.
"""

import msgspec

from projections.ports import Connection, Row
from projections.summaries import Summary

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
    db: Connection, tenant: str, session: str, fitted: Fitted, columns: str
) -> list[Row]:
    """Return the newest messages that fit the room together, oldest first.

    ``columns`` are those wanted of ``message AS m``. The newest message alone may be
    too large: then nothing fits, nothing is skipped. However many cost none, no more
    are taken than the largest budget has tokens.
    """
    if fitted.room <= 0:
        return []
    taken: list[Row] = []
    room, before, page = fitted.room, _AFTER_ALL, _FIRST_PAGE
    while len(taken) < MOST_TOKENS:
        rows = await db.fetch(
            f"SELECT {columns}, m.seq, m.tokens FROM message AS m"  # noqa: S608  columns of the code
            " WHERE m.tenant = $1 AND m.session = $2 AND m.seq >= $3 AND m.seq < $4"
            " ORDER BY m.seq DESC LIMIT $5",
            tenant,
            session,
            fitted.from_seq,
            before,
            page,
        )
        for row in rows:
            room -= row["tokens"]
            if room < 0:
                return taken[::-1]
            taken.append(row)
        if len(rows) < page:
            break
        before, page = rows[-1]["seq"], page * _GROWTH
    return taken[:MOST_TOKENS][::-1]


_AFTER_ALL = 2**31 - 1
_FIRST_PAGE = 128
_GROWTH = 4
