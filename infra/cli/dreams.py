"""``palimpsest dreams``: those that wait, run and are over; and one more."""

from functools import partial
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from commands.dream import ScheduleDream, schedule_dream
from domain.dream import DreamKind
from domain.errors import DomainError
from infra.cli.acting import acting, reason
from infra.cli.one_line import run_at
from infra.cli.opened import opened
from infra.cli.options import Data, Json, OfWorkspace, Workspace
from infra.cli.place import Place
from infra.cli.screen import screen
from infra.cli.words import readable
from infra.settings import Settings
from projections.dreams import list_dreams

_MOST = 1_000

Limit = Annotated[int, typer.Option(min=1, max=_MOST, help="The newest so many.")]
Observer = Annotated[str, typer.Argument(help="Who dreams.", callback=readable)]
Observed = Annotated[
    str | None, typer.Option("--observed", help="Of whom, if not of itself.")
]
CardOnly = Annotated[bool, typer.Option("--card", help="Bring the card in line only.")]
Rebuild = Annotated[bool, typer.Option("--rebuild", help="Make the card anew.")]

dreams = typer.Typer(
    help="Dreams that wait, run and are over: list; one more: schedule.",
    no_args_is_help=True,
)


@dreams.command("list")
def list_them(
    workspace: Workspace = None,
    limit: Limit = 100,
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """List dreams, the newest first: state, when they are due, what they changed."""
    run_at(data, partial(_list, workspace=workspace, limit=limit, as_json=as_json))


@dreams.command()
def schedule(
    workspace: OfWorkspace,
    observer: Observer,
    observed: Observed = None,
    card: CardOnly = False,  # noqa: FBT002  a switch of the command line
    rebuild: Rebuild = False,  # noqa: FBT002  a switch of the command line
    data: Data = None,
) -> None:
    """Ask for a dream at once; beside one like it that waits or runs, none."""
    kind: DreamKind = "card_refresh" if card else "omni"
    command = ScheduleDream(
        workspace=workspace,
        observer=observer,
        observed=observer if observed is None else observed,
        kind=kind,
        rebuild=rebuild,
        session=None,
    )
    run_at(data, partial(_schedule, command=command))


async def _list(
    place: Place,
    settings: Settings,
    *,
    workspace: str | None,
    limit: int,
    as_json: bool,
) -> None:
    async with opened(place, settings) as found, found.views.acquire() as db:
        told = await list_dreams(db, workspace, (None, None), limit)
    if as_json:
        typer.echo(msgspec.json.encode(told).decode())
        return
    columns = ("workspace", "observer", "observed", "kind", "trigger", "state")
    table = Table(*columns, "due", "attempt", "changes", "reason")
    for each in told:
        table.add_row(
            each.workspace,
            each.observer,
            each.observed,
            each.kind,
            each.trigger,
            each.state,
            each.due_at.isoformat(timespec="seconds"),
            str(each.attempt),
            str(each.changes),
            each.reason or "",
        )
    screen().print(table if told else "nobody dreams")


async def _schedule(place: Place, settings: Settings, *, command: ScheduleDream) -> int:
    async with acting(place, settings) as found:
        try:
            written = await schedule_dream(found.write, command, reason())
        except DomainError as refused:
            typer.echo(str(refused), err=True)
            return 1
    typer.echo("scheduled" if written.events else "one like it waits or runs")
    return 0
