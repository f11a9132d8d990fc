"""An inflow wired from settings: a member of the workers' group, until the end."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any, Final

import asyncpg

from infra.kafka.client import check_client, client_options
from infra.kafka.consumer_thread import ConsumerThread
from infra.kafka.dead_letters import DeadLetters
from infra.kafka.generations import Generations
from infra.kafka.inflow import Inflow
from infra.kafka.names import workers_of
from infra.kafka.without_topic import WithoutTopic
from infra.postgres.log import PostgresLog
from infra.settings import Settings
from infra.stopping import stop

_HEARTBEAT_MS: Final = 1_000
"""How soon a member hears of a rebalance, most."""


async def open_inflow(
    dsn: str,
    settings: Settings,
    pool: asyncpg.Pool,
    log: PostgresLog,
    running: AsyncExitStack,
) -> Inflow:
    """Join the group of workers and fetch, until the stack is left.

    ``pool`` may change the processors' tables.

    Raises:
        NoBrokers, CredentialsUnusable
    """
    check_client(settings)
    by_shards = log.by_shards()
    letters = DeadLetters(settings, pool, by_shards)
    generations = Generations(pool, settings)
    inflow = Inflow(generations, by_shards, letters)
    inflow.consumer = ConsumerThread(_membership(settings), inflow)
    inflow.consumer.start()
    running.push_async_callback(inflow.consumer.close)
    running.push_async_callback(letters.close)
    without = WithoutTopic(dsn, settings, generations, by_shards, inflow)
    for coroutine, name in (
        (letters.run(), "dead letters"),
        (without.run(), "without a topic"),
        (inflow.run(), "inflow"),
    ):
        task: asyncio.Task[Any] = asyncio.create_task(coroutine, name=name)
        running.push_async_callback(stop, task)
    return inflow


def _membership(settings: Settings) -> dict[str, Any]:
    session = int(settings.kafka_session_seconds * 1000)
    return client_options(settings, "worker") | {
        "group_id": workers_of(settings),
        "group_instance_id": settings.kafka_instance_id,
        "session_timeout_ms": session,
        "heartbeat_interval_ms": min(_HEARTBEAT_MS, session // 4),
    }
