"""What a rebuild is to fold, up to where, and what must come with it."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from infra.code_hash import code_of, tables_read_by
from infra.postgres.checkpoints import (
    Checkpoint,
    LogDiverged,
    verify_checkpoints,
)
from infra.postgres.log import PostgresLog
from infra.postgres.views import LIVE, drifted_views, shape_of
from projections.projection import Projection, together

_LIVE_AT: Final = f"SELECT projection, position, event, tables FROM {LIVE}.checkpoint"  # noqa: S608  a constant


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The projections to fold, by name in their order, and the last position.

    ``code`` is of each of them: what another code began is not gone on with.
    ``everything`` means that no live table is read, and none is kept.
    ``diverged`` means that the live views were folded from another log.
    """

    chosen: tuple[str, ...]
    added: tuple[str, ...]
    code: tuple[str, ...]
    through: int
    event: UUID | None
    everything: bool
    diverged: bool


class NoSuchProjection(Exception):  # noqa: N818  read as a sentence
    """A projection was named that is not there."""


async def make_plan(
    connection: asyncpg.Connection,
    log: PostgresLog,
    projections: Sequence[Projection],
    names: Collection[str] | None,
) -> Plan:
    """Choose what to fold: what is named, or everything, and what must come with it.

    Up to where the live views stand, so that both can be compared and the running
    server's own place stays right; up to the log's head where there are none, or they
    were folded from another log, which only folding everything mends.

    Raises:
        NoSuchProjection, ViewsNewer
    """
    known = [each.name for each in projections]
    if unknown := sorted(set(names or ()) - set(known)):
        raise NoSuchProjection(
            f"there is no projection {', '.join(unknown)}; there are {', '.join(known)}"
        )
    rows = await connection.fetch(_LIVE_AT)
    at = {r["projection"]: Checkpoint(r["position"], r["event"]) for r in rows}
    diverged = await _has_diverged(log, at)
    if names is None or diverged:
        chosen = set(known)
    else:
        drifted = await drifted_views(connection, projections)
        chosen = _with_what_they_need(projections, names, drifted)
    through = _goal({name: c.position for name, c in at.items()}, chosen)
    if diverged or through == 0:
        through = await log.slices.head()
    return Plan(
        chosen=tuple(name for name in known if name in chosen),
        added=()
        if names is None
        else tuple(name for name in known if name in chosen and name not in names),
        code=tuple(
            f"{each.version} {shape_of(each)} {code_of(each)}"
            for each in projections
            if each.name in chosen
        ),
        through=through,
        event=await log.slices.id_at(through),
        everything=chosen == set(known),
        diverged=diverged,
    )


def _goal(live: dict[str, int], chosen: set[str]) -> int:
    """Where the live views stand that are folded anew, else all of them."""
    mine = [position for name, position in live.items() if name in chosen]
    return max(mine, default=0) or max(live.values(), default=0)


async def _has_diverged(log: PostgresLog, at: dict[str, Checkpoint]) -> bool:
    try:
        await verify_checkpoints(log.store, at)
    except LogDiverged:
        return True
    return False


def _with_what_they_need(
    projections: Sequence[Projection], names: Collection[str], drifted: Collection[str]
) -> set[str]:
    """Add what must be folded together, and what reads the tables of changed code."""
    owned = {each.name: _tables_of(each) for each in projections}
    chosen: set[str] = set()
    more = set(names)
    while more:
        chosen |= more
        changed = set().union(*(owned[n] for n in chosen if n in drifted))
        more = {
            name
            for each in projections
            if each.name in chosen
            for name in together(each)
            if name in owned
        }
        more |= {each.name for each in projections if changed & tables_read_by(each)}
        more -= chosen
    return chosen


def _tables_of(projection: Projection) -> set[str]:
    words = projection.tables.split()
    return {
        words[n + 2]
        for n in range(len(words) - 2)
        if words[n : n + 2] == ["CREATE", "TABLE"]
    }
