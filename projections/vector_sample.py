"""A sample of a collection's conclusions with their vectors."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from projections.as_of import holding
from projections.condition import Bind
from projections.ports import Connection
from projections.vectors import vector_table

Strategy = Literal["recent", "random", "all"]


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """Which conclusions are looked at: of which levels, chosen how, at most how many.

    What is chosen at random is chosen by the position asked about: the same then is
    the same again.
    """

    strategy: Strategy
    size: int
    levels: Sequence[str]


class Sampled(msgspec.Struct, frozen=True):
    """A conclusion and its vector."""

    text: str
    vector: list[float]


async def sample_vectors(
    db: Connection,
    pair: tuple[str, str, str],
    model: tuple[str, int],
    sampling: Sampling,
    as_of: int,
) -> list[Sampled]:
    """Return what the (workspace, observer, observed) held at a position.

    ``model`` is the name and the dimensions of the vectors; without any it is empty.
    """
    table = vector_table("conclusion", *model)
    if not await db.fetchval("SELECT to_regclass($1) IS NOT NULL", table):
        return []
    bind = Bind(*pair, list(sampling.levels), str(as_of))
    rows = await db.fetch(
        "SELECT c.content, v.embedding::real[] AS vector FROM conclusion AS c"  # noqa: S608  every value is bound
        f" JOIN {table} AS v ON v.tenant = c.tenant AND v.origin = c.origin"
        " WHERE c.tenant = $1 AND c.observer = $2 AND c.observed = $3"
        f" AND c.level = ANY ($4::text[]) AND {holding(as_of, 'c')(bind)}"
        f" ORDER BY {_ORDERS[sampling.strategy]} LIMIT {bind(sampling.size)}",
        *bind.values,
    )
    return [Sampled(row["content"], list(row["vector"])) for row in rows]


_ORDERS: Final[dict[Strategy, str]] = {
    "recent": "c.born DESC, c.id, $5::text",
    "random": "md5(c.id || $5::text), c.id",
    "all": "c.born, c.id, $5::text",
}
