"""A process that runs until it is told to stop: signals, logging, and its vitals."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import typer

from infra.door import listening
from infra.settings import Settings
from infra.settings.theirs import not_honoured
from infra.vitals import Vitals, answering

_LOG: Final = logging.getLogger("palimpsest.process")

Say = Callable[[str], None]
"""Tells whoever started the process: a line on a terminal, a record of the log else."""

Live = Callable[[Vitals, Say], Coroutine[Any, Any, None]]
"""What a process does, for ever; it sets its vitals once it is ready."""


async def run_until_told(
    work: Coroutine[Any, Any, None], leave: Callable[[], None] | None = None
) -> int:
    """Run until SIGINT or SIGTERM, also one that comes during the start.

    ``leave`` is called before the work is cancelled. Returns 0 then, and 1 where it
    ended by itself; what it raises is raised.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    working = asyncio.ensure_future(work)
    signalled = asyncio.create_task(stopping.wait())
    await asyncio.wait({working, signalled}, return_when=asyncio.FIRST_COMPLETED)
    signalled.cancel()
    if leave is not None:
        leave()
    working.cancel()
    try:
        await working
    except asyncio.CancelledError:
        return 0
    return 1


async def run_role(
    role: str, settings: Settings, at: tuple[str, int], live: Live
) -> int:
    """Run a process of a role that has no HTTP of its own, with its vitals at ``at``.

    Port 0 is any that is free; which one is said.

    Raises:
        PortTaken: the address cannot be had.
    """
    say, vitals = begin_logging(settings), Vitals(role)

    async def alive() -> None:
        with listening(*at) as door:
            async with answering(vitals, door):
                say(f"Palimpsest {role}: health at {address_of(door)}/health")
                await live(vitals, say)

    return await run_until_told(alive(), vitals.leave)


def begin_logging(settings: Settings) -> Say:
    """Start the process log; return how something is said to who started it."""
    # Commands that only look are quicker without the server's packages.
    from infra.telemetry.log_lines import start_logging, writes_json  # noqa: PLC0415

    start_logging(settings)
    say = _LOG.info if writes_json(settings) else partial(typer.echo, err=True)
    for line in not_honoured():
        say(f"palimpsest: {line}")
    return say


def address_of(door: socket.socket) -> str:
    """Write where a door is as a browser wants it."""
    host, port = door.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
