"""``palimpsest up``: Postgres, API, projections and workers under one command."""

import asyncio
import logging
import signal
import socket
from typing import Annotated

import typer
from rich.console import Console

from infra.cli.one_line import run
from infra.cli.options import Data
from infra.cli.place import Place, choose_place
from infra.composition import Palimpsest
from infra.door import listening
from infra.serving import serving
from infra.settings import Settings


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
    run(_up(choose_place(data, settings), settings, host, port))


async def _up(place: Place, settings: Settings, host: str, port: int) -> int:
    """Serve until a signal, also one that comes during the start."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    with listening(host, port) as door:
        work = asyncio.create_task(_serve(place, settings, door))
        signalled = asyncio.create_task(stopping.wait())
        await asyncio.wait({work, signalled}, return_when=asyncio.FIRST_COMPLETED)
        signalled.cancel()
        work.cancel()
        try:
            await work
        except asyncio.CancelledError:
            return 0
    return 1


async def _serve(place: Place, settings: Settings, door: socket.socket) -> None:
    """Serve until cancelled; what was started is stopped on the way out."""
    async with serving(place, settings, door) as palimpsest:
        _announce(place, door, palimpsest)
        await palimpsest.broken()


def _announce(place: Place, door: socket.socket, palimpsest: Palimpsest) -> None:
    host, port = door.getsockname()[:2]
    say = Console(stderr=True, highlight=False, soft_wrap=True).print
    say(f"Palimpsest serves http://{host}:{port} from {place}")
    for feature, engine in palimpsest.engines.items():
        say(f"  {feature}: {engine}")
