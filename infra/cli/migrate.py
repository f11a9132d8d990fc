"""``palimpsest migrate``: log, keys and views brought to what this code knows."""

from functools import partial
from typing import Annotated, Final

import typer

from infra.cli.one_line import run_at
from infra.cli.options import Data
from infra.cli.place import Place, beside
from infra.cli.process import begin_logging
from infra.settings import Settings

_WAIT: Final = 60.0

Check = Annotated[
    bool,
    typer.Option(
        "--check",
        help="Change nothing: tell whether all is current, and end with 1 if not.",
    ),
]
Wait = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="Seconds to wait: for databases that answer (60), or with --check until"
        " all is current (0).",
    ),
]


def migrate(
    check: Check = False,  # noqa: FBT002  a switch of the command line
    wait: Wait = None,
    data: Data = None,
) -> None:
    """Make or change tables and keys, make the views current, and end."""
    if check:
        run_at(data, partial(_check, wait=wait or 0.0))
    run_at(data, partial(_migrate, wait=_WAIT if wait is None else wait))


async def _migrate(place: Place, settings: Settings, *, wait: float) -> None:
    from infra.cli.reach import Patience, reach_empty  # noqa: PLC0415  quick to stop
    from infra.composition import migrate_palimpsest  # noqa: PLC0415

    say = begin_logging(settings)
    await reach_empty(place, settings, Patience(wait, say))
    async with beside(place) as dsn:
        await migrate_palimpsest(dsn, data=place.data, settings=settings)
    typer.echo(f"log, keys and views in {place} are current")


async def _check(place: Place, settings: Settings, *, wait: float) -> int:
    """Ask what every role asks before it starts: this code's log, keys and views."""
    from infra.cli.reach import NEVER, NOT_YET, Patience, reach  # noqa: PLC0415
    from infra.postgres.migrate import steps_of  # noqa: PLC0415

    try:
        await reach(place, settings, Patience(wait, begin_logging(settings)))
    except (*NOT_YET, *NEVER) as error:
        typer.echo(f"palimpsest: {error}", err=True)
        return 1
    log, keys = (steps_of(series)[-1].number for series in ("log", "keys"))
    typer.echo(
        f"{place} is what this code knows: log at step {log}, keys at step {keys},"
        " all views"
    )
    return 0
