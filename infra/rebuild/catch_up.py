"""Brings the shadow to where the live views are, by the ordinary fold."""

from collections.abc import Mapping, Sequence

import asyncpg

from domain.event import tag_of
from infra.postgres.checkpoints import (
    Checkpoint,
    load_checkpoints,
    move_checkpoints,
)
from infra.postgres.slices import Slice, Slices
from projections.projection import Projection


async def catch_up(
    connection: asyncpg.Connection,
    log: Slices,
    projections: Sequence[Projection],
    goals: Mapping[str, int],
) -> None:
    """Fold each projection of the shadow to its goal, in one transaction a page.

    The caller's own transaction, if there is one, takes all of it.
    """
    at = {
        name: checkpoint.position
        for name, checkpoint in (
            await load_checkpoints(connection, projections)
        ).items()
    }
    behind = [each for each in projections if at[each.name] < goals[each.name]]
    wanted = Slice(tuple({tag_of(event) for each in behind for event in each.handles}))
    position = min((at[each.name] for each in behind), default=0)
    through = max((goals[each.name] for each in behind), default=0)
    while position < through:
        batch, reached = await log.read(wanted, after=position, through=through)
        async with connection.transaction():
            for each in behind:
                share = [
                    recorded
                    for recorded in batch
                    if isinstance(recorded.event, each.handles)
                    and at[each.name] < recorded.position <= goals[each.name]
                ]
                if share:
                    await each.apply(connection, share)
            at = await _move(connection, log, at, behind, goals, reached)
        position = reached


async def _move(
    connection: asyncpg.Connection,
    log: Slices,
    at: Mapping[str, int],
    behind: Sequence[Projection],
    goals: Mapping[str, int],
    reached: int,
) -> dict[str, int]:
    """Move each checkpoint as far as it may go; return where all are."""
    moves: dict[int, dict[str, int]] = {}
    for each in behind:
        to = min(goals[each.name], reached)
        if to > at[each.name]:
            moves.setdefault(to, {})[each.name] = at[each.name]
    now = dict(at)
    for to, names in moves.items():
        await move_checkpoints(connection, names, Checkpoint(to, await log.id_at(to)))
        now.update(dict.fromkeys(names, to))
    return now
