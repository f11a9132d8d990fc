"""``palimpsest events``: page through the log, opened."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from infra.cli.one_line import run
from infra.cli.opened import opened
from infra.cli.options import Data, Json
from infra.cli.place import Place, choose_place
from infra.cli.record_line import as_line, as_object
from infra.settings import Settings


def events(
    after: Annotated[int, typer.Option(min=0, help="Begin behind this position.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=2000, help="How many.")] = 50,
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Print a page of events; go on with --after the last position."""
    settings = Settings()
    place = choose_place(data, settings)
    run(_events(place, settings, (after, limit), as_json=as_json))


async def _events(
    place: Place, settings: Settings, window: tuple[int, int], *, as_json: bool
) -> None:
    after, limit = window
    async with opened(place, settings) as found:
        page = await found.log.store.read_log(after=after, limit=limit)
    if as_json:
        for record in page:
            typer.echo(msgspec.json.encode(as_object(record)).decode())
        return
    say = Console(soft_wrap=True, highlight=False).print
    for record in page:
        say(Text(as_line(record)))
