"""The vectors a question may be compared with, if there are any yet."""

import sys
from array import array

import msgspec

from projections.as_of import recorded_by
from projections.condition import Bind
from projections.ports import Connection
from projections.probe import Probe
from projections.vectors import Kind, vector_table


class Collection(msgspec.Struct, frozen=True):
    """A table of vectors, aliased ``v``, and the question they are compared with."""

    table: str
    numbers: list[float]
    since: int = 0

    def distance(self, bind: Bind) -> str:
        """Write the cosine distance of ``v`` from the question."""
        return f"v.embedding <=> {bind(self.numbers)}::float4[]::vector"

    def there(self, as_of: int, bind: Bind) -> str:
        """Write whether ``v`` was there at a position, as this collection shows it."""
        return recorded_by(max(as_of, self.since), "v.position")(bind)


async def find_collection(
    db: Connection, kind: Kind, probe: Probe | None
) -> Collection | None:
    """Return the vectors that compare with the probe, None if there are none."""
    if probe is None:
        return None
    table = vector_table(kind, probe.model, probe.dimensions)
    if not await db.fetchval("SELECT to_regclass($1) IS NOT NULL", table):
        return None
    numbers = array("f", probe.vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return Collection(table, numbers.tolist(), probe.since)
