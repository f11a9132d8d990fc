"""``palimpsest vectors``: the collections of vectors: list them, drop a former one."""

from functools import partial
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from infra.cli.one_line import run_at
from infra.cli.opened import opened
from infra.cli.options import Data, Json
from infra.cli.place import Place, beside
from infra.cli.screen import screen
from infra.settings import Settings
from infra.standing import standing
from infra.vectors.dropping import drop_collection

Model = Annotated[str, typer.Argument(help="The collection's model, as listed.")]

vectors = typer.Typer(help="Collections of vectors: list, drop.", no_args_is_help=True)


@vectors.command("list")
def list_collections(
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """List the collections: which serves, which is filled how far, which is left."""
    run_at(data, partial(_list, as_json=as_json))


@vectors.command()
def drop(model: Model, data: Data = None) -> None:
    """Drop a former collection and free its disk; going back fills it anew."""
    run_at(data, partial(_drop, model=model))


async def _list(place: Place, settings: Settings, *, as_json: bool) -> None:
    async with opened(place, settings) as found:
        now = await standing(found.views)
    if as_json:
        typer.echo(msgspec.json.encode(now.vectors).decode())
        return
    table = Table(
        *("model", "dimensions", "state", "since", "position", "waiting", "s left"),
        title=f"head of the log: {now.head}",
    )
    for each in now.vectors:
        left = "" if each.seconds_left is None else f"{each.seconds_left:g}"
        table.add_row(
            each.model,
            str(each.dimensions),
            each.state,
            str(each.since),
            str(each.position),
            str(each.waiting),
            left,
        )
    screen().print(table)


async def _drop(place: Place, settings: Settings, *, model: str) -> int:
    async with opened(place, settings), beside(place) as dsn:
        dropped = await drop_collection(dsn, model)
    if not dropped:
        typer.echo(f"no former collection is called {model}", err=True)
    return 0 if dropped else 1
