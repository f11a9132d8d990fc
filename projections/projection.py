"""What a projection is."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

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


@runtime_checkable
class Recounted(Protocol):
    """A projection that a rebuild counts at once, from tables folded before it."""

    async def recount(self, db: Connection, ends: Sequence[Recorded]) -> None:
        """Fill the empty tables as folding all there is would have filled them.

        ``ends`` are the events that erase, in position order.
        """
        ...


def commutes(projection: Projection) -> bool:
    """Tell whether shards may be folded apart, each at its own pace.

    A projection says so by ``commutes = True``, and the law of shards in
    ``tests/properties`` proves it: every shard is given its own events, and what
    erases (``erasable.ENDS``) in all shards.
    """
    return bool(getattr(projection, "commutes", False))


def together(projection: Projection) -> tuple[str, ...]:
    """Name the projections that must be rebuilt with this one.

    By their law, projections may be folded from tables that are ahead of them; one
    for which that does not hold names the others as ``together``.
    """
    return tuple(getattr(projection, "together", ()))


def unused(projection: Projection) -> tuple[str, ...]:
    """Name the indexes of ``tables`` that its own fold does not look up by.

    A rebuild makes them when it is folded, before others that do. None is unique: by
    a unique index what comes twice is passed over.
    """
    return tuple(getattr(projection, "unused", ()))


def unwrapped(projection: Projection) -> object:
    """Return the projection inside its wrappers."""
    inner: object = projection
    while (further := getattr(inner, "projection", None)) is not None:
        inner = further
    return inner
