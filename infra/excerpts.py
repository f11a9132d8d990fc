"""Messages with what was said around them, windows that overlap put together."""

from collections.abc import Sequence
from typing import Final

import msgspec

from infra.recollecting import message_of
from infra.sight_conditions import visible
from processors.tools.memory import Excerpt, Sight
from projections.condition import Bind
from projections.message_rows import message_rows
from projections.ports import Connection

_WINDOWS: Final = """
SELECT w.number AS place, m.id, m.content, m.created_at, m.peer, m.session, m.seq
FROM unnest({sessions}::text[], {first}::int[], {last}::int[]) WITH ORDINALITY
    AS w(session, first, last, number)
JOIN {rows} ON m.tenant = $1 AND m.session = w.session
    AND m.seq BETWEEN w.first AND w.last
WHERE {visible} ORDER BY w.number, m.seq
"""


class Place(msgspec.Struct, frozen=True):
    """Where a message stands that was found."""

    session: str
    number: int
    message: str


class _Window(msgspec.Struct):
    session: str
    first: int
    last: int
    matches: list[str]


async def read_excerpts(
    db: Connection, sight: Sight, places: Sequence[Place], around: int
) -> tuple[Excerpt, ...]:
    """Read the messages at these places with so many neighbours each side.

    Neighbours out of sight are left out. Excerpts come in the order of the first
    place each holds.
    """
    windows = _windows(places, around)
    bind = Bind(sight.workspace)
    statement = _WINDOWS.format(
        sessions=bind([each.session for each in windows]),
        first=bind([each.first for each in windows]),
        last=bind([each.last for each in windows]),
        rows=message_rows(sight.as_of)(bind),
        visible=visible(sight)(bind),
    )
    rows = await db.fetch(statement, *bind.values) if windows else []
    excerpts = []
    for number, window in enumerate(windows, 1):
        messages = tuple(message_of(row) for row in rows if row["place"] == number)
        if messages:
            excerpts.append(Excerpt(window.session, messages, tuple(window.matches)))
    return tuple(excerpts)


def _windows(places: Sequence[Place], around: int) -> list[_Window]:
    """Put together windows of one session that overlap or touch."""
    rank = {each.message: n for n, each in enumerate(places)}
    merged: list[_Window] = []
    ordered = sorted(places, key=lambda each: (each.session, each.number))
    for each in ordered:
        first, last = each.number - around, each.number + around
        before = merged[-1] if merged else None
        same = before is not None and before.session == each.session
        if before is not None and same and before.last >= first - 1:
            before.last = last
            before.matches.append(each.message)
        else:
            merged.append(_Window(each.session, first, last, [each.message]))
    return sorted(merged, key=lambda w: min(rank[each] for each in w.matches))
