"""What commands on the topic work with, opened beside whatever runs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from infra.cli.place import Place, beside
from infra.kafka.client import check_client
from infra.postgres.migrate import check_migrated
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.kafka.relay import RelayParts


@asynccontextmanager
async def relay_parts(place: Place, settings: Settings) -> "AsyncIterator[RelayParts]":
    """Yield them; the database and its tables are there.

    Raises:
        NoBrokers, CredentialsUnusable
        NothingHere, Unreachable, DatabaseNewer, DatabaseOlder
    """
    from infra.kafka.relay_wiring import wire_relay  # noqa: PLC0415  its packages

    check_client(settings)
    async with beside(place) as dsn, AsyncExitStack() as running:
        await check_migrated(dsn)
        yield await wire_relay(dsn, place.data, settings, running)
