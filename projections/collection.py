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
    """A table of vectors, aliased ``v``, and the question they are compared with.

    ``parts`` is the table of what follows the first chunks of long messages, if any is
    that long.
    """

    table: str
    numbers: list[float]
    since: int = 0
    parts: str | None = None

    def distance(self, bind: Bind) -> str:
        """Write the cosine distance of ``v`` from the question."""
        return f"v.embedding <=> {bind(self.numbers)}::float4[]::vector"

    def nearest(self, as_of: int, bind: Bind) -> str:
        """Write the distance of a message ``m``: that of the nearest of its chunks."""
        first = self.distance(bind)
        if self.parts is None:
            return first
        return (
            f"least({first}, (SELECT min({first}) FROM {self.parts} AS v"  # noqa: S608  our own names
            " WHERE v.tenant = m.tenant AND v.session = m.session AND v.seq = m.seq"
            f" AND {self.there(as_of, bind)}))"
        )

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
    parts = vector_table("part", probe.model, probe.dimensions)
    there = await db.fetchrow(_THERE, table, parts)
    if there is None or not there["whole"]:
        return None
    numbers = array("f", probe.vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    cut = kind == "message" and there["parts"]
    return Collection(table, numbers.tolist(), probe.since, parts if cut else None)


_THERE = """
    SELECT to_regclass($1) IS NOT NULL AS whole, to_regclass($2) IS NOT NULL AS parts
"""
