"""``palimpsest rebuild``: fold every view anew from the log, server stopped."""

from functools import partial
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from infra.cli.one_line import run_at
from infra.cli.opened import log_settings
from infra.cli.options import Data, Json
from infra.cli.place import Place, alone
from infra.key_source import master_key_of
from infra.postgres.log import PostgresLog
from infra.postgres.migrate import migrate
from infra.rebuild import Progress as Reached
from infra.rebuild import rebuild as fold_anew
from infra.settings import Settings
from projections.registry import LAGGING, PROMPT


def rebuild(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every view: the only way there is yet.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Fold views from position 0 and put them in place of the live ones."""
    if not everything:
        raise typer.BadParameter("say --all: views are rebuilt together")
    run_at(data, partial(_rebuild, as_json=as_json))


async def _rebuild(place: Place, settings: Settings, *, as_json: bool) -> None:
    bar = Progress(
        TextColumn("folding"),
        BarColumn(),
        TextColumn("position {task.completed} of {task.total}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    async with alone(place) as dsn:
        chosen = log_settings(settings, announces=False)
        await migrate(dsn, keys_dsn=chosen.keys_dsn)
        key = master_key_of(place.data, settings)
        async with PostgresLog.open(dsn, key, chosen) as log:
            await log.keys.verify()
            with bar:
                task = bar.add_task("", total=None)

                def show(reached: Reached) -> None:
                    bar.update(task, completed=reached.position, total=reached.head)

                report = await fold_anew(dsn, log.store, (*PROMPT, *LAGGING), show)
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    Console().print(f"{report.events} events folded in {report.seconds:.1f} s")
