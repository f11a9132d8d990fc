"""Where everything stands: the log's head, and every consumer's way to it."""

import asyncpg
import msgspec

from infra.processor_positions import processor_positions
from infra.proof.signing_key import key_id
from projections.webhook_deliveries import count_deliveries

_VIEWS = "SELECT projection, position FROM checkpoint ORDER BY projection"
_HEAD = "SELECT coalesce(max(position), 0) FROM log.event"
_AGE = """
SELECT extract(epoch FROM clock_timestamp() - recorded_at)::float8
FROM log.event WHERE position = $1
"""


# A log that was not yet migrated has none.
_CHECKPOINTS = "SELECT to_regclass('log.checkpoint') IS NOT NULL"
_AGED = """
SELECT position, public_key,
    extract(epoch FROM clock_timestamp() - made_at)::float8 AS seconds
FROM log.checkpoint ORDER BY position DESC, made_at DESC LIMIT 1
"""


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """A projection or processor, and how far behind the head it is.

    ``lag_events`` are positions still to be looked at; ``lag_seconds`` is the age of
    the first of them. ``retrying`` and ``parked`` count keys that wait.
    """

    name: str
    kind: str
    position: int
    lag_events: int
    lag_seconds: float
    retrying: int = 0
    parked: int = 0


class Checkpoint(msgspec.Struct, frozen=True):
    """The newest signed checkpoint: its position, its age, the key that signed it."""

    position: int
    age_seconds: float
    key_id: str


class Standing(msgspec.Struct, frozen=True):
    """The head position of the log and all who follow it.

    ``webhooks`` counts deliveries by state: pending, delivered, failed, dropped.
    ``checkpoint`` is None while nothing is signed.
    """

    head: int
    consumers: list[Consumer]
    webhooks: dict[str, int] = {}
    checkpoint: Checkpoint | None = None


async def standing(pool: asyncpg.Pool) -> Standing:
    """Return where everything stands now; the head is read last."""
    views = [
        Consumer(
            name=row["projection"],
            kind="projection",
            position=row["position"],
            lag_events=0,
            lag_seconds=0,
        )
        for row in await pool.fetch(_VIEWS)
    ]
    processors = [
        Consumer(
            name=each.processor,
            kind="processor",
            position=each.position,
            lag_events=0,
            lag_seconds=0,
            retrying=each.retrying,
            parked=each.parked,
        )
        for each in await processor_positions(pool)
    ]
    head = await pool.fetchval(_HEAD)
    consumers = [await _with_lag(pool, each, head) for each in [*views, *processors]]
    return Standing(head, consumers, await count_deliveries(pool), await _newest(pool))


async def _newest(pool: asyncpg.Pool) -> Checkpoint | None:
    if not await pool.fetchval(_CHECKPOINTS):
        return None
    row = await pool.fetchrow(_AGED)
    if row is None:
        return None
    age = round(max(0.0, row["seconds"]), 3)
    return Checkpoint(row["position"], age, key_id(row["public_key"]))


async def _with_lag(pool: asyncpg.Pool, consumer: Consumer, head: int) -> Consumer:
    lag = max(0, head - consumer.position)
    age = await pool.fetchval(_AGE, consumer.position + 1) if lag else None
    return msgspec.structs.replace(
        consumer, lag_events=lag, lag_seconds=round(max(0.0, age or 0.0), 3)
    )
