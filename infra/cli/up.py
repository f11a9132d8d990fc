"""``palimpsest up``: Postgres, API, projections and workers under one command."""

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from infra.cli.one_line import PortTaken, run
from infra.cli.options import Data
from infra.cli.place import Place, check_reachable, choose_place
from infra.composition import Palimpsest, open_palimpsest
from infra.postgres.embedded import EmbeddedPostgres
from infra.settings import Settings

_FINISH_REQUESTS = 3
"""Seconds running requests get at a stop; all of a stop is bounded by 10 s."""


def up(
    host: Annotated[str, typer.Option(help="The address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to serve on.")] = 8000,
    data: Data = None,
) -> None:
    """Start everything and serve until SIGINT or SIGTERM."""
    settings = Settings()
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    run(_serve(choose_place(data, settings), settings, host, port))


async def _serve(place: Place, settings: Settings, host: str, port: int) -> int:
    """Start, serve until a signal, stop in reverse order; return the exit code."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    with _listening(host, port) as door:
        serving = asyncio.create_task(_start_and_serve(place, settings, door))
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not serving.done():
            serving.cancel()
        try:
            await serving
        except asyncio.CancelledError:
            return 0
    return 1


async def _start_and_serve(
    place: Place, settings: Settings, door: socket.socket
) -> None:
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
                server_header=False,
            )
        )
        serving = asyncio.create_task(server.serve([door]))
        try:
            _announce(place, door, palimpsest)
            await asyncio.wait(
                {serving, palimpsest.failed}, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            server.should_exit = True
            await serving
        palimpsest.failed.result()


async def _database(place: Place, running: AsyncExitStack) -> str:
    if place.uri is not None:
        await check_reachable(place.uri)
        return place.uri
    postgres = EmbeddedPostgres(place.data)
    address = await postgres.start()
    running.push_async_callback(postgres.stop)
    return address.dsn()


class _Server(uvicorn.Server):
    """Leaves signals to us: they must also stop a start that is under way."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Take the address before anything is started, so that a clash costs nothing.

    Who calls while we start waits in the backlog and is answered once we are ready.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
            door.listen(2048)
        except (OSError, OverflowError) as error:
            raise PortTaken(f"cannot serve on {host}:{port}: {error}") from error
        yield door


def _announce(place: Place, door: socket.socket, palimpsest: Palimpsest) -> None:
    host, port = door.getsockname()[:2]
    say = Console(stderr=True, highlight=False, soft_wrap=True).print
    say(f"Palimpsest serves http://{host}:{port} from {place}")
    for feature, engine in palimpsest.engines.items():
        say(f"  {feature}: {engine}")
