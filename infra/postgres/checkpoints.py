"""How far each projection is folded, moved only from where it was found."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from projections.ports import LogReader
from projections.projection import Projection

FOLDED: Final = "palimpsest_folded"
"""The channel on which is told that a group of views was folded, and up to where."""

# Telling costs no round trip of its own. What commits here waits for no disk, so the
# lock under which notifications are put in order is held for a moment only.
_MOVE: Final = """
WITH moved AS (
    UPDATE checkpoint AS c SET position = $3, event = $4
    FROM unnest($1::text[], $2::bigint[], $5::text[]) AS g (projection, position, code)
    WHERE c.projection = g.projection AND c.position = g.position
        AND c.code = coalesce(g.code, c.code)
    RETURNING 1
), counted AS (SELECT count(*) AS number FROM moved)
SELECT number, CASE WHEN $6::text IS NOT NULL THEN pg_notify($6, $7) END FROM counted
"""


class LogDiverged(Exception):  # noqa: N818  says what was found
    """The views were folded from another log than this one."""


class CheckpointMoved(Exception):  # noqa: N818  says what was found
    """Another runner folds the same projections; nothing was changed."""


class ViewsReplaced(Exception):  # noqa: N818  says what was found
    """Other code folded the views anew while this one's server ran: it must stop."""


class FollowedBehind(Exception):  # noqa: N818  says what was found
    """Views that must be ahead are not, though they were: a crash took that back."""


class Checkpoint(msgspec.Struct, frozen=True):
    """The last position folded into a projection, and the id of the event there."""

    position: int
    event: UUID | None


async def load_checkpoints(
    connection: asyncpg.Connection, projections: Sequence[Projection]
) -> dict[str, Checkpoint]:
    """Return each projection's checkpoint.

    Raises:
        LookupError: a projection's tables were never made.
    """
    rows = await connection.fetch(
        "SELECT projection, position, event FROM checkpoint"
        " WHERE projection = ANY($1::text[])",
        [each.name for each in projections],
    )
    found = {r["projection"]: Checkpoint(r["position"], r["event"]) for r in rows}
    missing = [each.name for each in projections if each.name not in found]
    if missing:
        raise LookupError(f"No tables were made for {', '.join(missing)}")
    return found


async def codes_of(
    connection: asyncpg.Connection, names: Sequence[str], before: Mapping[str, str]
) -> dict[str, str]:
    """Return which code folded each projection's live tables.

    Raises:
        ViewsReplaced: it is another than ``before``, unless that is empty.
    """
    rows = await connection.fetch(
        "SELECT projection, code FROM checkpoint WHERE projection = ANY($1::text[])",
        names,
    )
    codes = {row["projection"]: row["code"] for row in rows}
    if before and codes != before:
        raise ViewsReplaced("The views were folded anew by other code")
    return codes


async def verify_checkpoints(
    log: LogReader, checkpoints: Mapping[str, Checkpoint]
) -> None:
    """Check that the log still holds the events the views were folded from.

    Raises:
        LogDiverged: it does not, as after another log was put in its place.
    """
    named = {checkpoint: name for name, checkpoint in checkpoints.items()}
    for checkpoint, name in named.items():
        if checkpoint.position == 0:
            continue
        at = await log.id_at(checkpoint.position)
        if at != checkpoint.event:
            there = "the log ends before" if at is None else f"event {at} is there"
            raise LogDiverged(
                f"The view {name} was folded up to position {checkpoint.position}, "
                f"event {checkpoint.event}, of another log: here {there}. Rebuild the "
                "views, or put the right log back"
            )


async def verify_ahead(
    connection: asyncpg.Connection, followed: Sequence[str], position: int
) -> None:
    """Check that every projection followed has passed a position, as is committed.

    To be asked in the transaction that reads their tables, before it does.

    Raises:
        FollowedBehind: one has not.
    """
    behind = await connection.fetchval(
        "SELECT count(*) FROM checkpoint"
        " WHERE projection = ANY($1::text[]) AND position < $2",
        followed,
        position,
    )
    if behind:
        raise FollowedBehind("The views followed are folded again")


async def move_checkpoints(
    connection: asyncpg.Connection,
    moves: Mapping[str, int],
    to: Checkpoint,
    codes: Mapping[str, str] | None = None,
    *,
    told_as: str | None = None,
) -> None:
    """Move each projection from the position given to a new one, or none of them.

    With ``codes``, only while it is of that code. ``told_as`` is the name under which
    who watches (``infra/watched_views.py``) hears of it once it is committed.

    Raises:
        CheckpointMoved: one was no longer there; the caller rolls back.
    """
    moved = await connection.fetchval(
        _MOVE,
        list(moves),
        list(moves.values()),
        to.position,
        to.event,
        [None if codes is None else codes[name] for name in moves],
        FOLDED if told_as is not None else None,
        f"{told_as} {to.position}",
    )
    if moved != len(moves):
        raise CheckpointMoved("Another runner folds the same views")
