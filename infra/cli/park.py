"""``palimpsest park``: the keys of processors that stopped: list, retry, skip."""

from functools import partial
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from infra.cli.one_line import run_at
from infra.cli.opened import opened
from infra.cli.options import Data, Json
from infra.cli.place import Place
from infra.cli.screen import screen
from infra.parking import Parking
from infra.settings import Settings

Name = Annotated[str, typer.Argument(help="The processor, as listed.")]
Key = Annotated[str, typer.Argument(help="The ordering key, as listed.")]

park = typer.Typer(help="Keys that stopped: list, retry, skip.", no_args_is_help=True)


@park.command("list")
def list_waiting(
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """List the keys that wait for a retry or are parked, and why."""
    run_at(data, partial(_list, as_json=as_json))


@park.command()
def retry(processor: Name, key: Key, data: Data = None) -> None:
    """Try a key again at once, as if for the first time."""
    run_at(data, partial(_move, named=(processor, key), skip=False))


@park.command()
def skip(processor: Name, key: Key, data: Data = None) -> None:
    """Pass over the event a key waits at, for good."""
    run_at(data, partial(_move, named=(processor, key), skip=True))


async def _list(place: Place, settings: Settings, *, as_json: bool) -> None:
    async with opened(place, settings) as found:
        waiting = await Parking(found.work).list()
    if as_json:
        typer.echo(msgspec.json.encode(waiting).decode())
        return
    table = Table("processor", "key", "position", "state", "attempts", "reason", "due")
    for each in waiting:
        table.add_row(
            each.processor,
            each.ordering_key,
            str(each.position),
            each.state,
            str(each.attempts),
            each.reason,
            each.due_at.isoformat(timespec="seconds"),
        )
    screen().print(table if waiting else "no key waits")


async def _move(
    place: Place, settings: Settings, *, named: tuple[str, str], skip: bool
) -> int:
    async with opened(place, settings) as found:
        parking = Parking(found.work)
        moved = await (parking.skip if skip else parking.retry)(*named)
    if not moved:
        typer.echo(f"{named[0]} has no key {named[1]} waiting", err=True)
    return 0 if moved else 1
