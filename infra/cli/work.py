"""Runs a role without HTTP of its own until a signal, with its vitals beside it."""

from infra.cli.place import Place
from infra.cli.process import Say, run_role
from infra.cli.serve import engine_lines
from infra.garbage import collect_rarely
from infra.roles import Role
from infra.settings import Settings
from infra.vitals import Vitals


async def work(
    place: Place,
    settings: Settings,
    *,
    role: Role,
    at: tuple[str, int],
    wait: float,
) -> int:
    """Run until a signal; ``wait`` is how many seconds others may take to be ready.

    Raises:
        PortTaken: the address cannot be had.
    """

    async def live(vitals: Vitals, say: Say) -> None:
        from infra.cli.reach import Patience  # noqa: PLC0415
        from infra.serving import running  # noqa: PLC0415

        async with running(place, settings, role, Patience(wait, say)) as palimpsest:
            vitals.is_ready = palimpsest.is_well
            vitals.detail = palimpsest.detail
            vitals.metrics = palimpsest.metrics
            collect_rarely()
            say(f"Palimpsest {role.name} runs on {place}")
            for line in engine_lines(palimpsest.engines):
                say(line)
            await palimpsest.watch.broken()

    return await run_role(role.name, settings, at, live)
