"""A relay wired from settings: alone in a process, or beside everything else."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from domain.events import EVENT_BY_TAG
from infra.kafka.content import Opened, Values, as_stored
from infra.kafka.generations import Generations
from infra.kafka.relay import Relay, RelayParts
from infra.key_source import present_master_key
from infra.postgres.announcer import Announcer
from infra.postgres.connection import close_pool, open_pool
from infra.postgres.data_keys import DataKeys
from infra.postgres.mapper import StructMapper
from infra.postgres.role import usable_role
from infra.postgres.stored_rows import StoredRows
from infra.postgres.tail import Tail
from infra.roles import RELAY
from infra.settings import Settings
from infra.stopping import stop
from infra.telemetry.observers import RelayObserver
from infra.upcasters import UPCASTERS

_NAME: Final = "palimpsest-relay"


async def wire_relay(
    dsn: str, data: Path, settings: Settings, running: AsyncExitStack
) -> RelayParts:
    """Open what a relay works with, until the stack is left.

    Only with ``KAFKA_CONTENT=clear`` are keys asked for: else it opens nothing.

    Raises:
        MasterKeyUnusable, asyncpg.PostgresError, OSError
    """
    role = await usable_role(dsn, "work")
    pool = await open_pool(dsn, role=role, name=_NAME, size=3)
    running.push_async_callback(close_pool, pool)
    tail = Tail()
    listener = Announcer(dsn, role, tail, RELAY)
    listener.start()
    running.push_async_callback(listener.close)
    log = StoredRows(pool, tail)
    running.callback(log.close)
    values = await _values(dsn, data, settings, running)
    return RelayParts(dsn, settings, Generations(pool, settings), log, values)


async def start_relay(
    parts: RelayParts, observer: RelayObserver, running: AsyncExitStack
) -> asyncio.Task[None]:
    """Relay from now on until the stack is left; return the task that does."""
    task = asyncio.create_task(Relay(parts, observer).run(), name="the relay")
    running.push_async_callback(stop, task)
    return task


async def _values(
    dsn: str, data: Path, settings: Settings, running: AsyncExitStack
) -> Values:
    if settings.kafka_content == "sealed":
        return as_stored
    keys_uri = settings.keys_connection_uri
    keys_dsn = dsn if keys_uri is None else keys_uri.get_secret_value()
    role = await usable_role(keys_dsn, "secret")
    pool = await open_pool(keys_dsn, role=role, name=f"{_NAME}-keys", size=1)
    running.push_async_callback(close_pool, pool)
    keys = DataKeys(pool, present_master_key(data, settings))
    await keys.verify()
    return Opened(StructMapper(EVENT_BY_TAG, UPCASTERS), keys)
