"""What models took, summed up by what is asked for: now, and as it was."""

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal

import msgspec

from projections.as_of import NOW
from projections.condition import Bind
from projections.ports import Connection, Row

Group = Literal["feature", "peer", "model", "day"]

_SUMS: Final = (
    *("calls", "failed", "attempts", "input", "output", "cached", "reasoning"),
    *("cost", "unpriced", "estimated", "latency"),
)

# Of the past nothing is summed up: the calls there were then are.
_THEN: Final = """
    SELECT day, feature, peer, transport, model, 1 AS calls, attempts, input, output,
        (outcome <> 'answered')::int AS failed, cached, reasoning,
        coalesce(cost, 0) AS cost, (cost IS NULL)::int AS unpriced,
        estimated::int AS estimated, latency
    FROM llm_call WHERE tenant = $1 AND position <= {at}
"""


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of models and what they took; ``group`` names them, by what was asked.

    ``cost`` is in millionths of a dollar, of the calls that had a price; ``latency``
    in microseconds, of all together.
    """

    group: tuple[str, ...]
    calls: int
    failed: int
    attempts: int
    input: int
    output: int
    cached: int
    reasoning: int
    cost: int
    unpriced: int
    estimated: int
    latency: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls: of a workspace, maybe of some days, one feature, peer or model.

    ``first`` and ``last`` are days of UTC, both included.
    """

    tenant: str
    groups: tuple[Group, ...]
    first: date | None = None
    last: date | None = None
    feature: str | None = None
    peer: str | None = None
    model: str | None = None
    as_of: int = NOW


class Summed(msgspec.Struct, frozen=True):
    """Some of the groups, how many there are, and all of them together."""

    groups: list[Spending]
    total: int
    whole: Spending


_NOTHING: Final = Spending(group=(), **dict.fromkeys(_SUMS, 0))


async def sum_up(db: Connection, wanted: Wanted, limit: int, offset: int = 0) -> Summed:
    """Return the sums of the groups wanted, in their order."""
    bind = Bind(wanted.tenant)
    rows = await db.fetch(_statement(wanted, bind, limit, offset), *bind.values)
    if rows:
        groups = [_spending(row, _named(wanted, row)) for row in rows]
        whole = _spending(rows[0], (), "all_")
        return Summed(groups, rows[0]["total"], whole)
    if not offset:
        return Summed([], 0, _NOTHING)
    first = await sum_up(db, wanted, 1)
    return Summed([], first.total, first.whole)


def _statement(wanted: Wanted, bind: Bind, limit: int, offset: int) -> str:
    columns = [_column(each) for each in wanted.groups]
    named = ", ".join(f"{each} AS g{n}" for n, each in enumerate(columns))
    sums = ", ".join(
        f"sum({each})::bigint AS {each},"
        f" (sum(sum({each})) OVER ())::bigint AS all_{each}"
        for each in _SUMS
    )
    grouped = ", ".join(str(n + 1) for n in range(len(columns)))
    source = "SELECT * FROM llm_usage WHERE tenant = $1"
    if wanted.as_of != NOW:
        source = _THEN.format(at=bind(wanted.as_of))
    where = "".join(
        f" AND {column} {bind(value)}"
        for column, value in (
            ("day >=", wanted.first),
            ("day <=", wanted.last),
            ("feature =", wanted.feature),
            ("peer =", wanted.peer),
            ("model =", wanted.model),
        )
        if value is not None
    )
    return (
        f"SELECT {named}, {sums}, count(*) OVER () AS total FROM ({source}) AS u"  # noqa: S608  every value is bound
        f" WHERE TRUE{where} GROUP BY {grouped} ORDER BY {grouped}"
        f" LIMIT {bind(limit)} OFFSET {bind(offset)}"
    )


def _column(group: Group) -> str:
    if group == "model":
        return "transport || '/' || model"
    return "to_char(day, 'YYYY-MM-DD')" if group == "day" else group


def _named(wanted: Wanted, row: Row) -> tuple[str, ...]:
    return tuple(row[f"g{n}"] for n in range(len(wanted.groups)))


def _spending(row: Row, group: tuple[str, ...], prefix: str = "") -> Spending:
    return Spending(group=group, **{each: row[prefix + each] for each in _SUMS})


async def workspaces_that_spent(db: Connection) -> Sequence[str]:
    """Return the workspaces of which any call is known."""
    rows = await db.fetch("SELECT DISTINCT tenant FROM llm_spend ORDER BY tenant")
    return [row["tenant"] for row in rows]
