"""Everything a process is, alive between entering and leaving."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import uvicorn

from infra.auth.wanted import wanted_keyring
from infra.cli.place import Place, check_reachable
from infra.cli.reach import AT_ONCE, Patience, reach, stay_beside
from infra.composition import open_palimpsest
from infra.http.closing import answered_when_closing
from infra.http.intake import Intake
from infra.master_key import read_master_key
from infra.palimpsest import Palimpsest
from infra.postgres.embedded import EmbeddedPostgres, while_alive
from infra.proof.signing_key import read_signing_key
from infra.roles import UP, Role
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
async def running(
    place: Place, settings: Settings, role: Role, patience: Patience
) -> AsyncIterator[Palimpsest]:
    """Run what a role does, without a door; stop it in reverse order.

    Who migrates starts the embedded Postgres; any other waits for a database that is
    ready, as long as ``patience`` says.

    Raises:
        EmbeddedPostgresError, Unreachable, and whatever ``open_palimpsest`` raises;
        PostgresEnded also later, whenever the embedded Postgres dies.
    """
    await _check(settings)
    async with AsyncExitStack() as stack:
        if role.migrates:
            dsn = await _database(place, stack)
        else:
            dsn = await reach(place, settings, patience)
        palimpsest = await stack.enter_async_context(
            open_palimpsest(dsn, data=place.data, settings=settings, role=role)
        )
        if place.uri is None and not role.migrates:
            palimpsest.watch.add(stay_beside(place.data, dsn, stack))
        yield palimpsest


@asynccontextmanager
async def serving(
    place: Place,
    settings: Settings,
    door: socket.socket,
    role: Role = UP,
    patience: Patience = AT_ONCE,
) -> AsyncIterator[Palimpsest]:
    """Run what a role does, and HTTP; see ``running``."""
    async with running(place, settings, role, patience) as palimpsest:
        if palimpsest.app is None:
            raise ValueError(f"{role.name} answers nothing")
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


async def _database(place: Place, stack: AsyncExitStack) -> str:
    if place.uri is not None:
        await check_reachable(place.uri, "DB_CONNECTION_URI")
        return place.uri
    postgres = EmbeddedPostgres(place.data, stop_timeout=_STOP_POSTGRES)
    address = await postgres.start()
    stack.push_async_callback(postgres.stop)
    await stack.enter_async_context(while_alive(postgres))
    return address.dsn()


class _Server(uvicorn.Server):
    """Leaves signals to its caller: they must also stop a start that is under way."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
