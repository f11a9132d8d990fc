"""Where everything stands: the log's head, and every consumer's way to it."""

import asyncpg
import msgspec

from infra.processor_positions import processor_positions
from projections.webhook_deliveries import count_deliveries

_VIEWS = "SELECT projection, position FROM checkpoint ORDER BY projection"
_HEAD = "SELECT coalesce(max(position), 0) FROM log.event"
_AGE = """
SELECT extract(epoch FROM clock_timestamp() - recorded_at)::float8
FROM log.event WHERE position = $1
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


class Standing(msgspec.Struct, frozen=True):
    """The head position of the log and all who follow it.

    ``webhooks`` counts deliveries by state: pending, delivered, failed, dropped.
    """

    head: int
    consumers: list[Consumer]
    webhooks: dict[str, int] = {}


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
    return Standing(head, consumers, await count_deliveries(pool))


async def _with_lag(pool: asyncpg.Pool, consumer: Consumer, head: int) -> Consumer:
    lag = max(0, head - consumer.position)
    age = await pool.fetchval(_AGE, consumer.position + 1) if lag else None
    return msgspec.structs.replace(
        consumer, lag_events=lag, lag_seconds=round(max(0.0, age or 0.0), 3)
    )
