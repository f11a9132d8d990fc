"""How the lanes of a rebuild are cut: by shards where that is proven, else by views."""

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from domain.event import tag_of
from infra.code_hash import tables_read_by
from infra.postgres.slices import SHARDS
from infra.rebuild.shadow import Lane
from projections.projection import Projection, Recounted, commutes, unwrapped

BY_SHARD: Final = "messages"
BY_VIEW: Final = "views"
"""The stages: first what may be folded shard by shard, then what may not."""

WORKERS: Final = 2
"""Lanes side by side: each keeps a core of ours and one of the database busy."""


def is_recounted(projection: Projection) -> bool:
    """Tell whether a rebuild counts a projection at once instead of folding it."""
    return isinstance(unwrapped(projection), Recounted)


def cut_lanes(
    projections: Sequence[Projection],
    owned: Mapping[str, Sequence[str]],
    events: Mapping[str, int],
) -> list[Lane]:
    """Cut all lanes: ``owned`` are the tables of each, ``events`` counts by type."""
    sharded = [e for e in projections if commutes(e)]
    rest = [e for e in projections if not commutes(e) and not is_recounted(e)]
    lanes: list[Lane] = []
    if sharded:
        names = tuple(each.name for each in sharded)
        step = (SHARDS[1] + 1) // WORKERS
        lanes += [
            Lane(
                f"shards from {n * step}",
                BY_SHARD,
                names,
                n * step,
                (n + 1) * step - 1,
                _weight(sharded, events) // WORKERS,
            )
            for n in range(WORKERS)
        ]
    for number, group in enumerate(_even(_apart(rest, owned), events)):
        names = tuple(each.name for each in group)
        weight = _weight(group, events)
        lanes.append(Lane(f"views {number + 1}", BY_VIEW, names, *SHARDS, weight))
    return lanes


def _apart(
    projections: Sequence[Projection], owned: Mapping[str, Sequence[str]]
) -> list[list[Projection]]:
    """Put together those that read each other's tables; the groups know nothing."""
    groups: list[list[Projection]] = []
    for each in projections:
        mine = set(owned[each.name])
        met = [
            group
            for group in groups
            if any(
                set(owned[other.name]) & tables_read_by(each)
                or mine & tables_read_by(other)
                for other in group
            )
        ]
        joined = [other for group in met for other in group]
        groups = [group for group in groups if group not in met] + [[*joined, each]]
    order = {each.name: n for n, each in enumerate(projections)}
    return [sorted(group, key=lambda e: order[e.name]) for group in groups]


def _even(
    groups: Sequence[Sequence[Projection]], events: Mapping[str, int]
) -> list[list[Projection]]:
    """Deal groups to as many lanes as may run at once, the largest first."""
    dealt: list[tuple[int, list[Projection]]] = [(0, []) for _ in range(WORKERS)]
    for group in sorted(groups, key=lambda g: -_weight(g, events)):
        dealt.sort(key=lambda lane: lane[0])
        weight, lane = dealt[0]
        dealt[0] = (weight + _weight(group, events), [*lane, *group])
    return [lane for _, lane in dealt if lane]


def _weight(group: Sequence[Projection], events: Mapping[str, int]) -> int:
    return sum(events.get(tag_of(event), 0) for each in group for event in each.handles)


async def count_events(connection: asyncpg.Connection, through: int) -> dict[str, int]:
    """Count the events of each type up to a position."""
    rows = await connection.fetch(
        "SELECT type, count(*) AS n FROM log.event WHERE position <= $1 GROUP BY type",
        through,
    )
    return {row["type"]: row["n"] for row in rows}
