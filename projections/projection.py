"""What a projection is."""

from collections.abc import Sequence
from typing import Protocol

from domain.event import Event
from domain.recorded import Recorded
from projections.ports import Connection


class Projection(Protocol):
    """A version, its tables, and a fold of batches into them.

    ``tables`` creates the tables with their primary keys and the indexes a fold looks
    up by, ``indexes`` those only readers need, so that a rebuild may create them
    last (it may be empty). ``handles`` names the events that change it; ``apply`` is
    given only those, in position order, and the same batch again, or cut differently,
    leaves the same rows. Rows name their ``tenant`` and, where they are of one, their
    ``session``: that is how what is erased is found (``projections/erasable.py``).
    """

    name: str
    version: int
    tables: str
    indexes: str

    @property
    def handles(self) -> tuple[type[Event], ...]: ...

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None: ...
