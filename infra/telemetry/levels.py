"""Levels of metrics, read from the database when somebody asks: at most once a second.

Only positions, times and counts are read, in two queries; who asks often gets what was
read a moment ago, and where the database does not answer there are no levels.
"""

import asyncio
import logging
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from time import monotonic
from typing import Final

import asyncpg

from infra.postgres.connection import FAILED
from infra.standing import Consumer, lags
from infra.telemetry.series import Series

_LOG: Final = logging.getLogger("palimpsest.telemetry")

_FRESH: Final = 1.0
_WITHIN: Final = 2.0

_MOST_PENDING: Final = 10_000
"""Messages without vectors that are counted, most."""

_LATELY: Final = 5
"""Minutes within which a workspace was refused a call that counts as stopped."""

_PENDING: Final = f"""
SELECT (SELECT count(*) FROM webhook_delivery WHERE state = 'pending') AS webhooks,
    (SELECT count(*) FROM log.llm_refusal
        WHERE refused_at > now() - make_interval(mins => {_LATELY})) AS stopped,
    (SELECT count(*) FROM (
        SELECT FROM log.event WHERE position > $1 AND type = 'message-added'
        LIMIT {_MOST_PENDING}) AS waiting) AS messages
"""  # noqa: S608  a constant

_ANYWHERE: Final = ("projection", "roll-ups")
"""Kinds whose levels every process tells; of processors, who is fed here."""

_EMBEDS: Final = "embed_memory"


class Levels:
    """Where consumers stand and what waits."""

    def __init__(self, series: Series) -> None:
        gauge = series.gauge
        self._head = gauge("palimpsest_log_head", "The log's newest position")
        self._begin_consumers(series)
        self._messages = gauge(
            "message_embeddings_pending",
            f"Messages without vectors, {_MOST_PENDING} at most; aggregate with max",
        )
        self._webhooks = gauge(
            "palimpsest_webhooks_pending", "Webhook deliveries that wait"
        )
        self._stopped = gauge(
            "palimpsest_budget_stopped_workspaces",
            f"Workspaces whose budget refused a call in the last {_LATELY} minutes",
        )
        self._connections = gauge(
            "db_pool_connections", "Connections", "instance_type", "state"
        )
        self._by_pool = gauge(
            "palimpsest_pool_connections", "Connections of each pool", "pool", "state"
        )
        self._fresh_until = 0.0
        self._reading = asyncio.Lock()

    def _begin_consumers(self, series: Series) -> None:
        gauge = series.gauge
        self._lag_events = gauge(
            "palimpsest_consumer_lag_events",
            "Positions a consumer has not looked at",
            "kind",
            "consumer",
        )
        self._lag_seconds = gauge(
            "palimpsest_consumer_lag_seconds",
            "Age of the oldest event a consumer has not handled; parked ones aside",
            "kind",
            "consumer",
        )
        self._seen = gauge(
            "palimpsest_consumer_seen_seconds",
            "How long ago a consumer was there that keeps its position elsewhere",
            "kind",
            "consumer",
        )
        self._held = gauge(
            "palimpsest_consumer_held_keys",
            "Keys that wait: tried again, or parked until somebody looks",
            "consumer",
            "state",
        )

    async def read(
        self,
        database: asyncpg.Pool,
        pools: Mapping[str, asyncpg.Pool],
        fed: AbstractSet[str],
    ) -> None:
        """Bring the levels up to date, unless they are."""
        async with self._reading:
            self._count_connections(pools)
            if monotonic() < self._fresh_until:
                return
            try:
                async with asyncio.timeout(_WITHIN):
                    await self._read(database, fed)
            except (TimeoutError, *FAILED) as away:
                _LOG.warning("levels cannot be read: %s", type(away).__name__)
                self._forget()
            self._fresh_until = monotonic() + _FRESH

    async def _read(self, database: asyncpg.Pool, fed: AbstractSet[str]) -> None:
        head, everybody = await lags(database)
        consumers = [
            each
            for each in everybody
            if each.kind in _ANYWHERE or not fed.isdisjoint((each.name, each.kind))
        ]
        self._forget()
        self._head.set(head)
        for each in consumers:
            self._set(each)
        embedded = max(
            (each.position for each in consumers if each.name.startswith(_EMBEDS)),
            default=head,
        )
        pending = await database.fetchrow(_PENDING, embedded)
        self._messages.set(pending["messages"])
        self._webhooks.set(pending["webhooks"])
        self._stopped.set(pending["stopped"])

    def _set(self, each: Consumer) -> None:
        self._lag_events.set(each.lag_events, each.kind, each.name)
        self._lag_seconds.set(each.lag_seconds, each.kind, each.name)
        if each.seen_seconds is not None:
            self._seen.set(each.seen_seconds, each.kind, each.name)
        if each.kind == "processor":
            self._held.set(each.retrying, each.name, "retrying")
            self._held.set(each.parked, each.name, "parked")

    def _forget(self) -> None:
        for gauge in (self._head, self._lag_events, self._lag_seconds, self._held):
            gauge.clear()
        for gauge in (self._seen, self._messages, self._webhooks, self._stopped):
            gauge.clear()

    def _count_connections(self, pools: Mapping[str, asyncpg.Pool]) -> None:
        totals = {"checked_out": 0, "checked_in": 0, "size": 0, "overflow": 0}
        for name, pool in pools.items():
            idle = pool.get_idle_size()
            found = {
                "checked_out": pool.get_size() - idle,
                "checked_in": idle,
                "size": pool.get_max_size(),
            }
            for state, count in found.items():
                self._by_pool.set(count, name, state)
                totals[state] += count
        for state, count in totals.items():
            self._connections.set(count, "api", state)
