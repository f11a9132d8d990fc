"""``palimpsest events``: page through the log, opened."""

from functools import partial
from typing import Annotated

import msgspec
import typer

from infra.cli.one_line import run_at
from infra.cli.opened import opened
from infra.cli.options import Data, Json
from infra.cli.place import Place
from infra.cli.record_line import as_line, as_object
from infra.settings import Settings

_LAST = 2**62


def events(
    after: Annotated[
        int, typer.Option(min=0, max=_LAST, help="Begin behind this position.")
    ] = 0,
    limit: Annotated[int, typer.Option(min=1, max=2000, help="How many.")] = 50,
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Print a page of events; go on with --after the last position."""
    run_at(data, partial(_events, window=(after, limit), as_json=as_json))


async def _events(
    place: Place, settings: Settings, *, window: tuple[int, int], as_json: bool
) -> None:
    after, limit = window
    async with opened(place, settings) as found:
        page = await found.log.store.read_log(after=after, limit=limit)
    if as_json:
        for record in page:
            typer.echo(msgspec.json.encode(as_object(record)).decode())
        return
    for record in page:
        typer.echo(as_line(record))
