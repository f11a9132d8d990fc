"""Serves HTTP in a role until a signal."""

import socket
from collections.abc import Iterator, Mapping

from infra.cli.place import Place
from infra.cli.process import Say, address_of, begin_logging, run_until_told
from infra.door import listening
from infra.garbage import collect_rarely
from infra.roles import UP, Role
from infra.settings import Settings


async def serve(
    place: Place,
    settings: Settings,
    *,
    role: Role,
    at: tuple[str, int],
    wait: float = 0.0,
) -> int:
    """Serve until a signal; ``wait`` is how many seconds others may take to be ready.

    Raises:
        PortTaken: the address cannot be had.
    """

    async def live() -> None:
        say = begin_logging(settings)
        with listening(*at) as door:
            await _serve(place, settings, door, (role, wait), say)

    return await run_until_told(live())


async def _serve(
    place: Place,
    settings: Settings,
    door: socket.socket,
    chosen: tuple[Role, float],
    say: Say,
) -> None:
    """Serve until cancelled; what was started is stopped on the way out."""
    from infra.cli.reach import Patience  # noqa: PLC0415
    from infra.serving import serving  # noqa: PLC0415

    role, wait = chosen
    patience = Patience(wait, say)
    async with serving(place, settings, door, role, patience) as palimpsest:
        collect_rarely()
        name = "Palimpsest" if role is UP else f"Palimpsest {role.name}"
        say(f"{name} serves {address_of(door)} from {place}")
        for line in engine_lines(palimpsest.engines):
            say(line)
        await palimpsest.watch.broken()


def engine_lines(engines: Mapping[str, str]) -> Iterator[str]:
    """Say what each feature runs on."""
    for feature, engine in engines.items():
        yield f"  {feature}: {engine}"
