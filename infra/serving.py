"""Everything a server is, alive between entering and leaving."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import uvicorn

from infra.cli.place import Place, check_reachable
from infra.composition import Palimpsest, open_palimpsest
from infra.postgres.embedded import EmbeddedPostgres, while_alive
from infra.settings import Settings

_FINISH_REQUESTS = 3
"""Seconds running requests get at a stop; all of a stop is bounded by 10 s."""

_KEEP_ALIVE = 75
"""Seconds an idle connection stays open: longer than clients' pools keep theirs."""


@asynccontextmanager
async def serving(
    place: Place, settings: Settings, door: socket.socket
) -> AsyncIterator[Palimpsest]:
    """Start database, views, workers and HTTP; stop them in reverse order.

    Raises:
        EmbeddedPostgresError, Unreachable, DatabaseNewer, MasterKeyUnusable;
        PostgresEnded also later, whenever the embedded Postgres dies.
    """
    async with AsyncExitStack() as running:
        dsn = await _database(place, running)
        palimpsest = await running.enter_async_context(
            open_palimpsest(dsn, data=place.data, settings=settings)
        )
        server = _Server(
            uvicorn.Config(
                palimpsest.app,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=_FINISH_REQUESTS,
                timeout_keep_alive=_KEEP_ALIVE,
                server_header=False,
            )
        )
        answering = asyncio.create_task(server.serve([door]))
        try:
            yield palimpsest
        finally:
            palimpsest.leave()
            server.should_exit = True
            await answering


async def _database(place: Place, running: AsyncExitStack) -> str:
    if place.uri is not None:
        await check_reachable(place.uri)
        return place.uri
    postgres = EmbeddedPostgres(place.data)
    address = await postgres.start()
    running.push_async_callback(postgres.stop)
    await running.enter_async_context(while_alive(postgres))
    return address.dsn()


class _Server(uvicorn.Server):
    """Leaves signals to its caller: they must also stop a start that is under way."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
