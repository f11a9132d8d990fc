"""``palimpsest derivations``: what could not be derived, listed, flushed, redriven."""

from functools import partial
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from commands.derivation_requests import RequestDerivation, request_derivation
from domain.derivation import Asked
from domain.errors import DomainError
from infra.cli.acting import acting, reason
from infra.cli.one_line import run_at
from infra.cli.opened import opened
from infra.cli.options import Data, Json, OfWorkspace, Workspace
from infra.cli.place import Place
from infra.cli.screen import screen
from infra.cli.words import readable
from infra.settings import Settings
from infra.woken_derivation import WokenDerivation
from projections.derivation_ranges import list_stuck

_MOST = 10_000

Session = Annotated[str, typer.Argument(help="The session.", callback=readable)]
Limit = Annotated[int, typer.Option(min=1, max=_MOST, help="The oldest so many.")]

derivations = typer.Typer(
    help="What could not be derived: list, redrive; what waits: flush.",
    no_args_is_help=True,
)


@derivations.command("list")
def list_them(
    workspace: Workspace = None,
    limit: Limit = 100,
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """List messages whose derivation failed or was passed over, the oldest first."""
    run_at(data, partial(_list, workspace=workspace, limit=limit, as_json=as_json))


@derivations.command()
def redrive(workspace: OfWorkspace, session: Session, data: Data = None) -> None:
    """Try a session's failed messages at once, and those passed over once more."""
    run_at(data, partial(_ask, named=(workspace, session), why="redrive"))


@derivations.command()
def flush(workspace: OfWorkspace, session: Session, data: Data = None) -> None:
    """Have a model reason about what waits in a session, however little it is."""
    run_at(data, partial(_ask, named=(workspace, session), why="flush"))


async def _list(
    place: Place,
    settings: Settings,
    *,
    workspace: str | None,
    limit: int,
    as_json: bool,
) -> None:
    async with opened(place, settings) as found, found.views.acquire() as db:
        stuck = await list_stuck(db, workspace, None, limit)
    if as_json:
        typer.echo(msgspec.json.encode(stuck).decode())
        return
    columns = ("workspace", "session", "messages", "state", "attempts", "error", "next")
    table = Table(*columns)
    for each in stuck:
        due = each.retry_at
        table.add_row(
            each.workspace,
            each.session,
            f"{each.first_seq}-{each.last_seq}",
            each.state,
            str(each.attempt),
            each.error or "",
            "" if due is None else due.isoformat(timespec="seconds"),
        )
    screen().print(table if stuck else "everything could be derived")


async def _ask(
    place: Place, settings: Settings, *, named: tuple[str, str], why: Asked
) -> int:
    command = RequestDerivation(workspace=named[0], session=named[1], reason=why)
    async with acting(place, settings) as found:
        try:
            done = await request_derivation(found.write, command, reason())
        except DomainError as refused:
            typer.echo(str(refused), err=True)
            return 1
    if why == "redrive":
        async with opened(place, settings) as found_:
            await WokenDerivation(found_.work)(*named)
    told = [f"{first}-{last}" for first, last in done.redriven]
    told += [] if done.waiting is None else [f"{done.waiting[0]}-{done.waiting[1]}"]
    typer.echo(f"messages {', '.join(told)}" if told else "nothing waits for that")
    return 0
