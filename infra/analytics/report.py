"""Roll-ups read back: a workspace's day in one piece."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

import asyncpg
import msgspec

from infra.analytics.tables import ACTIVITY

_WANTED: Final = """
    ($1::text IS NULL OR t.workspace = $1) AND t.day >= $2 AND t.day <= $3
"""
_ACTIVITY: Final = f"""
    SELECT t.*, (SELECT count(*) FROM analytics.active_peer AS p
        WHERE (p.workspace, p.day) = (t.workspace, t.day)) AS active_peers
    FROM analytics.activity AS t WHERE {_WANTED} ORDER BY t.workspace, t.day
"""  # noqa: S608  a constant
_ONE_OF: Final = "SELECT t.* FROM analytics.{table} AS t WHERE " + _WANTED  # noqa: S608  ours
_PROGRESS: Final = "SELECT position, at FROM analytics.progress"


class Progress(msgspec.Struct, frozen=True):
    """How far is counted, and when the last event that is was recorded."""

    position: int
    at: datetime | None


class LevelShown(msgspec.Struct, frozen=True):
    """What happened to conclusions of a level: events, each as often as it did."""

    derived: int
    reinforced: int
    retracted: int
    reinstated: int


class ModelsShown(msgspec.Struct, frozen=True):
    """What calls of models took, all models together."""

    calls: int = 0
    failed: int = 0
    requests: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    cost_micros: int = 0
    unpriced: int = 0


class DayShown(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace's day.

    ``within`` tells how many messages were derived within so many milliseconds (a
    power of two), and not within half of them.
    """

    workspace: str
    day: date
    messages: int
    copies: int
    message_tokens: int
    active_peers: int
    derivations: int
    derivations_failed: int
    messages_derived: int
    messages_passed_over: int
    derivation_micros: int
    derivation_micros_longest: int
    summaries: int
    questions: int
    dreams: int
    conclusions: dict[str, LevelShown]
    models: ModelsShown
    within: dict[int, int]

    @property
    def mean_seconds(self) -> float | None:
        """Return the mean time from message to derivation, None if none was derived."""
        if not self.messages_derived:
            return None
        return self.derivation_micros / self.messages_derived / 1_000_000

    def seconds_of(self, share: float) -> float | None:
        """Return within how many seconds that share of messages was derived, at most.

        It is known to a factor of two.
        """
        return seconds_of(self.within.items(), share)


def seconds_of(within: Iterable[tuple[int, int]], share: float) -> float | None:
    """Return the bound below which a share of a histogram lies, None if it is empty."""
    counts = sorted(within)
    wanted = share * sum(count for _, count in counts)
    reached = 0
    for bound, count in counts:
        reached += count
        if reached >= wanted:
            return bound / 1_000
    return None


async def daily(
    pool: asyncpg.Pool, workspace: str | None, first: date, last: date
) -> Sequence[DayShown]:
    """Return the days of a workspace, or of all, from one day to another."""
    wanted = (workspace, first, last)
    async with (
        pool.acquire() as db,
        db.transaction(isolation="repeatable_read", readonly=True),
    ):
        days = await db.fetch(_ACTIVITY, *wanted)
        parts = {
            table: _by_day(await db.fetch(_ONE_OF.format(table=table), *wanted))
            for table in ("conclusions", "models", "latency")
        }
    return [_shown(row, parts) for row in days]


async def progress(pool: asyncpg.Pool) -> Progress:
    """Return how far is counted."""
    return Progress(*await pool.fetchrow(_PROGRESS))


_Parts = dict[tuple[str, date], list[asyncpg.Record]]


def _by_day(rows: Sequence[asyncpg.Record]) -> _Parts:
    found: _Parts = {}
    for row in rows:
        found.setdefault((row["workspace"], row["day"]), []).append(row)
    return found


def _shown(row: asyncpg.Record, parts: dict[str, _Parts]) -> DayShown:
    place = (row["workspace"], row["day"])
    levels = sorted(parts["conclusions"].get(place, ()), key=lambda each: each["level"])
    models = parts["models"].get(place, ())
    latency = sorted(
        (each["doubling"], each["messages"]) for each in parts["latency"].get(place, ())
    )
    return DayShown(
        workspace=row["workspace"],
        day=row["day"],
        active_peers=row["active_peers"],
        **{column: row[column] for column in ACTIVITY.counts},
        conclusions={
            each["level"]: LevelShown(
                *(each[name] for name in LevelShown.__struct_fields__)
            )
            for each in levels
        },
        models=ModelsShown(
            *(
                sum(each[name] for each in models)
                for name in ModelsShown.__struct_fields__
            )
        ),
        within={2**doubling: count for doubling, count in latency},
    )
