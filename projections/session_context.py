"""What of a session fits into a budget of tokens: a summary and the newest messages.

The arithmetic is HC 6.5's; tokens are o200k_base.
"""

import msgspec

from projections.ports import Connection
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


async def first_that_fits(
    db: Connection, tenant: str, session: str, fitted: Fitted
) -> int | None:
    """Return the number from which on all messages fit the room; None if none does.

    The newest message alone may be too large: then nothing fits, nothing is skipped.
    As many messages as there are tokens are looked at, however many cost none.
    """
    if fitted.room <= 0:
        return None
    first: int | None = await db.fetchval(
        "SELECT min(seq) FROM ("
        " SELECT seq, sum(tokens) OVER (ORDER BY seq DESC) AS running"
        " FROM message WHERE tenant = $1 AND session = $2 AND seq >= $3"
        " ORDER BY seq DESC LIMIT $5) AS newest WHERE running <= $4",
        tenant,
        session,
        fitted.from_seq,
        fitted.room,
        fitted.room + 1,
    )
    return first
