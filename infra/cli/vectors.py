"""``palimpsest vectors``: the collections of vectors: list them, drop a former one."""

from contextlib import AsyncExitStack
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
from infra.cli.vector_lines import set_in
from infra.settings import Settings
from infra.standing import standing
from infra.vectors.dropping import drop_collection
from infra.vectors.models import wanted_model
from infra.vectors.wanting import Wanting

Model = Annotated[str, typer.Argument(help="The collection's model, as listed.")]

vectors = typer.Typer(
    help="Collections of vectors: list, want, drop.", no_args_is_help=True
)


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


@vectors.command()
def want(data: Data = None) -> None:
    """Want the model that EMBEDDING_* names here, also one that was wanted before.

    Its vectors are filled by processes that are set to it, and then serve; processes
    that are set to another follow.
    """
    run_at(data, _want)


async def _want(place: Place, settings: Settings) -> None:
    async with opened(place, settings) as found, beside(place) as dsn:
        async with AsyncExitStack() as running:
            wanting = Wanting(dsn, wanted_model(settings), "palimpsest vectors want")
            newest = (await wanting.insist(running)).newest
        [now] = [e for e in (await standing(found.views)).vectors if e.wanted]
    if newest.state == "serving":
        screen().print(f"{newest.model} is wanted now, and serves")
    else:
        screen().print(f"{newest.model} is wanted now, {set_in(now)} set to it")


async def _list(place: Place, settings: Settings, *, as_json: bool) -> None:
    async with opened(place, settings) as found:
        now = await standing(found.views)
    if as_json:
        typer.echo(msgspec.json.encode(now.vectors).decode())
        return
    table = Table(
        *("model", "dimensions", "state", "since", "position", "waiting", "s left"),
        "wanted by",
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
            (each.wanted_by or "?") if each.wanted else "",
        )
    screen().print(table)


async def _drop(place: Place, settings: Settings, *, model: str) -> int:
    async with opened(place, settings), beside(place) as dsn:
        dropped = await drop_collection(dsn, model)
    if not dropped:
        typer.echo(f"no former collection is called {model}", err=True)
    return 0 if dropped else 1
