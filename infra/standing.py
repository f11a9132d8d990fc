"""Where everything stands: the log's head, and every consumer's way to it."""

import asyncpg
import msgspec

from infra.postgres.presence import Present, who_is_present
from infra.proof.signing_key import key_id
from infra.vectors.progress import (
    CollectionStanding,
    collections_standing,
    idle_readers,
)
from infra.views_stopped import ViewsStopped
from projections.derivation_ranges import StuckCount, count_stuck
from projections.dreams import count_states
from projections.webhook_deliveries import count_deliveries

# The head is read first: a consumer may then be beyond it, never further behind.
_CONSUMERS = """
WITH log_head AS MATERIALIZED (
    SELECT coalesce(max(position), 0) AS head FROM log.event
), consumer AS (
    SELECT projection AS name, 'projection' AS kind, position,
        0 AS retrying, 0 AS parked, NULL::bigint AS waits, NULL::timestamptz AS seen_at
    FROM checkpoint
    UNION ALL
    SELECT c.processor, 'processor', c.position,
        count(*) FILTER (WHERE h.state = 'retry'),
        count(*) FILTER (WHERE h.state = 'parked'),
        min(h.position) FILTER (WHERE h.state = 'retry'), NULL
    FROM work.progress c LEFT JOIN work.held h USING (processor)
    WHERE c.processor <> ALL($1::text[])
    GROUP BY c.processor, c.position
    UNION ALL
    SELECT base, 'relay', position, 0, 0, NULL, NULL FROM work.topic
    WHERE state = 'serving'
    UNION ALL
    SELECT name, kind, position, 0, 0, NULL, seen_at FROM work.consumer
)
SELECT head, name, kind, c.position, retrying, parked,
    greatest(0, head - c.position) AS lag_events,
    coalesce(greatest(0, round(extract(
        epoch FROM clock_timestamp() - e.recorded_at), 3)), 0)::float8 AS lag_seconds,
    CASE WHEN seen_at IS NOT NULL THEN greatest(0, round(extract(
        epoch FROM clock_timestamp() - seen_at), 3))::float8 END AS seen_seconds
FROM log_head LEFT JOIN consumer c ON true
LEFT JOIN log.event e ON e.position = least(c.position + 1, waits)
ORDER BY kind DESC, name
"""

_WAITING = """
SELECT processor, state, reason, count(*) AS keys, max(attempts) AS attempts,
    round(extract(epoch FROM clock_timestamp() - min(held_at)), 3)::float8 AS seconds
FROM work.held WHERE processor <> ALL($1::text[])
GROUP BY processor, state, reason ORDER BY seconds DESC, processor
LIMIT 20
"""

# A log that was not yet migrated has none.
_CHECKPOINTS = "SELECT to_regclass('log.checkpoint') IS NOT NULL"
_AGED = """
SELECT position, public_key,
    extract(epoch FROM clock_timestamp() - made_at)::float8 AS seconds
FROM log.checkpoint ORDER BY position DESC, made_at DESC LIMIT 1
"""


_LINES = 20


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """A projection, processor, relay (named as its topic) or who counts the topic.

    ``lag_events`` are positions still to be looked at; ``lag_seconds`` is the age of
    the oldest event that is not handled, one that is tried again included, one that
    is parked not. ``retrying`` and ``parked`` count keys that wait. ``seen_seconds`` is
    how long ago it told where it is, None where its position is part of what it does.
    """

    name: str
    kind: str
    position: int
    lag_events: int
    lag_seconds: float
    retrying: int = 0
    parked: int = 0
    seen_seconds: float | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a processor that wait for one reason, for ``seconds`` at the longest.

    ``attempts`` is what the most patient of them has had.
    """

    processor: str
    state: str
    reason: str
    keys: int
    attempts: int
    seconds: float


class Checkpoint(msgspec.Struct, frozen=True):
    """The newest signed checkpoint: its position, its age, the key that signed it."""

    position: int
    age_seconds: float
    key_id: str


class Standing(msgspec.Struct, frozen=True):
    """The head position of the log and all who follow it.

    ``webhooks`` counts deliveries by state: pending, delivered, failed, dropped.
    ``checkpoint`` is None while nothing is signed. ``waiting`` are keys that could
    not go on, the longest first, twenty reasons at most. ``vectors`` are the
    collections of vectors there are: one serves, another may be filled behind it.
    ``stuck`` are derivations that failed, are held or were passed over, by workspace,
    twenty lines at most; ``dreams`` counts by state those not over and those given up.
    ``processes`` are those that run on this database now. ``stopped`` is the damaged
    event that views cannot get past, where somebody looked for one.
    """

    head: int
    consumers: list[Consumer]
    webhooks: dict[str, int] = {}
    checkpoint: Checkpoint | None = None
    waiting: list[Waiting] = []
    vectors: list[CollectionStanding] = []
    stuck: list[StuckCount] = []
    dreams: dict[str, int] = {}
    processes: list[Present] = []
    stopped: ViewsStopped | None = None


async def standing(pool: asyncpg.Pool) -> Standing:
    """Return where everything stands now."""
    head, consumers = await lags(pool)
    idle = await idle_readers(pool)
    waiting = [Waiting(**dict(row)) for row in await pool.fetch(_WAITING, idle)]
    return Standing(
        head,
        consumers,
        await count_deliveries(pool),
        await _newest(pool),
        waiting,
        await collections_standing(pool, head),
        await count_stuck(pool, _LINES),
        await count_states(pool),
        await who_is_present(pool),
    )


async def lags(pool: asyncpg.Pool) -> tuple[int, list[Consumer]]:
    """Return the head, and how far behind it every consumer is that ever ran.

    A collection of vectors that serves no more has none: it is not to come along.
    """
    idle = await idle_readers(pool)
    rows = [dict(row) for row in await pool.fetch(_CONSUMERS, idle)]
    head = max(row.pop("head") for row in rows)
    return head, [Consumer(**row) for row in rows if row["name"] is not None]


async def _newest(pool: asyncpg.Pool) -> Checkpoint | None:
    if not await pool.fetchval(_CHECKPOINTS):
        return None
    row = await pool.fetchrow(_AGED)
    if row is None:
        return None
    age = round(max(0.0, row["seconds"]), 3)
    return Checkpoint(row["position"], age, key_id(row["public_key"]))
