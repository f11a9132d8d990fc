"""Everything a server is, alive between entering and leaving."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import uvicorn

from infra.auth.wanted import wanted_keyring
from infra.cli.place import Place, check_reachable
from infra.composition import open_palimpsest
from infra.http.closing import answered_when_closing
from infra.http.intake import Intake
from infra.master_key import read_master_key
from infra.palimpsest import Palimpsest
from infra.postgres.embedded import EmbeddedPostgres, while_alive
from infra.proof.signing_key import read_signing_key
from infra.settings import Settings
from infra.settings.theirs import check_vector_store

_LOG = logging.getLogger(__name__)

_FINISH_REQUESTS = 3
"""Seconds running requests get at a stop; all of a stop is bounded by 10 s."""

_STOP_POSTGRES = 5
"""Seconds Postgres gets to stop; after that the next start replays its log."""

_KEEP_ALIVE = 75
"""Seconds an idle connection stays open: longer than clients' pools keep theirs."""


@asynccontextmanager
async def serving(
    place: Place, settings: Settings, door: socket.socket
) -> AsyncIterator[Palimpsest]:
    """Start database, views, workers and HTTP; stop them in reverse order.

    Raises:
        EmbeddedPostgresError, Unreachable, and whatever ``open_palimpsest`` raises;
        PostgresEnded also later, whenever the embedded Postgres dies.
    """
    await _check(settings)
    async with AsyncExitStack() as running:
        dsn = await _database(place, running)
        palimpsest = await running.enter_async_context(
            open_palimpsest(dsn, data=place.data, settings=settings)
        )
        server = _Server(
            uvicorn.Config(
                answered_when_closing(Intake(palimpsest.app)),
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=_FINISH_REQUESTS,
                timeout_keep_alive=_KEEP_ALIVE,
                server_header=False,
                proxy_headers=False,
            )
        )
        answering = asyncio.create_task(server.serve([door]), name="the HTTP server")
        palimpsest.watch.add(answering)
        try:
            yield palimpsest
        finally:
            palimpsest.leave()
            server.should_exit = True
            await answering


async def _check(settings: Settings) -> None:
    """Find what is wrong with the settings before anything is started."""
    keyring = wanted_keyring(settings)
    if keyring is not None and keyring.is_short:
        _LOG.warning("AUTH_JWT_SECRET is short: 32 bytes are as many as HS256 has")
    check_vector_store()
    if settings.keys_master_key is not None:
        read_master_key(settings.keys_master_key.get_secret_value())
    if settings.keys_signing_key is not None:
        read_signing_key(settings.keys_signing_key.get_secret_value())
    if settings.keys_connection_uri is not None:
        uri = settings.keys_connection_uri.get_secret_value()
        await check_reachable(uri, "KEYS_CONNECTION_URI")


async def _database(place: Place, running: AsyncExitStack) -> str:
    if place.uri is not None:
        await check_reachable(place.uri, "DB_CONNECTION_URI")
        return place.uri
    postgres = EmbeddedPostgres(place.data, stop_timeout=_STOP_POSTGRES)
    address = await postgres.start()
    running.push_async_callback(postgres.stop)
    await running.enter_async_context(while_alive(postgres))
    return address.dsn()


class _Server(uvicorn.Server):
    """Leaves signals to its caller: they must also stop a start that is under way."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
