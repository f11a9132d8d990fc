"""Projections folded by hand, in the order of the registry."""

from collections.abc import Iterable, Sequence

from domain.recorded import Recorded
from projections.ports import Connection
from projections.projection import Projection


async def create(db: Connection, projections: Iterable[Projection]) -> None:
    for projection in projections:
        await db.execute(projection.tables)
        if projection.indexes:
            await db.execute(projection.indexes)


async def fold(
    db: Connection, projections: Iterable[Projection], batch: Sequence[Recorded]
) -> None:
    """Apply one batch to every projection, each given only what it handles."""
    for projection in projections:
        mine = [r for r in batch if isinstance(r.event, projection.handles)]
        if mine:
            await projection.apply(db, mine)
