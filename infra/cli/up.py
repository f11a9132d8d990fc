"""``palimpsest up``: Postgres, API, projections and workers under one command."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Final

import typer

from infra.cli.one_line import run_at
from infra.cli.options import Data
from infra.cli.place import Place
from infra.door import listening
from infra.garbage import collect_rarely
from infra.settings import Settings
from infra.settings.theirs import not_honoured

_LOG: Final = logging.getLogger("palimpsest.process")


def up(
    host: Annotated[str, typer.Option(help="The address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to serve on.")] = 8000,
    data: Data = None,
) -> None:
    """Start everything and serve until SIGINT or SIGTERM."""
    run_at(data, partial(_up, host=host, port=port))


async def _up(place: Place, settings: Settings, *, host: str, port: int) -> int:
    """Serve until a signal, also one that comes during the start."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    # Commands that only look are quicker without the server's packages.
    from infra.telemetry.log_lines import start_logging, writes_json  # noqa: PLC0415

    start_logging(settings)
    say = _LOG.info if writes_json(settings) else partial(typer.echo, err=True)
    for line in not_honoured():
        say(f"palimpsest: {line}")
    with listening(host, port) as door:
        work = asyncio.create_task(_serve(place, settings, door, say))
        signalled = asyncio.create_task(stopping.wait())
        await asyncio.wait({work, signalled}, return_when=asyncio.FIRST_COMPLETED)
        signalled.cancel()
        work.cancel()
        try:
            await work
        except asyncio.CancelledError:
            return 0
    return 1


async def _serve(
    place: Place, settings: Settings, door: socket.socket, say: Callable[[str], None]
) -> None:
    """Serve until cancelled; what was started is stopped on the way out."""
    from infra.serving import serving  # noqa: PLC0415

    async with serving(place, settings, door) as palimpsest:
        collect_rarely()
        for line in _announcement(place, door, palimpsest.engines):
            say(line)
        await palimpsest.watch.broken()


def _announcement(
    place: Place, door: socket.socket, engines: Mapping[str, str]
) -> Iterator[str]:
    host, port = door.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    yield f"Palimpsest serves http://{shown}:{port} from {place}"
    for feature, engine in engines.items():
        yield f"  {feature}: {engine}"
