"""A place opened for a command that looks: the log unsealed, and the views."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from infra.cli.place import NothingHere, Place, beside, check_reachable
from infra.key_source import master_key_of
from infra.log_choice import log_settings
from infra.postgres.connection import open_pool
from infra.postgres.log import PostgresLog
from infra.postgres.role import usable_role
from infra.postgres.view_readers import open_view_readers
from infra.settings import Settings

_NAME = "palimpsest-operator"


class Opened(msgspec.Struct, frozen=True):
    """The log, the live views to read, and the processors' tables to change."""

    log: PostgresLog
    views: asyncpg.Pool
    work: asyncpg.Pool


@asynccontextmanager
async def opened(place: Place, settings: Settings) -> AsyncIterator[Opened]:
    """Open what is there, beside a running server or not; it serves nobody.

    Raises:
        NothingHere, Unreachable, EmbeddedPostgresError, MasterKeyUnusable
    """
    async with beside(place) as dsn:
        if (keys := settings.keys_connection_uri) is not None:
            await check_reachable(keys.get_secret_value(), "KEYS_CONNECTION_URI")
        try:
            async with (
                PostgresLog.open(
                    dsn,
                    master_key_of(place.data, settings),
                    log_settings(settings, announces=False),
                ) as log,
                open_view_readers(dsn, size=2) as views,
                await open_pool(
                    dsn, role=await usable_role(dsn, "work"), name=_NAME, size=1
                ) as work,
            ):
                await log.keys.verify()
                yield Opened(log, views, work)
        except asyncpg.UndefinedTableError as error:
            raise NothingHere(f"there is no Palimpsest in {place}") from error
