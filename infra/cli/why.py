"""``palimpsest why``: what something rests on, and what was made of it."""

from functools import partial
from typing import Annotated

import msgspec
import typer

from infra.cli.one_line import run_at
from infra.cli.opened import opened
from infra.cli.options import Data, Json
from infra.cli.place import Place
from infra.cli.screen import screen
from infra.cli.why_tree import as_tree
from infra.settings import Settings
from infra.why import why as find


def why(
    public_id: Annotated[
        str, typer.Argument(help="Of a conclusion, a message, a summary, an answer.")
    ],
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Print what something rests on, how it was derived and what was built on it."""
    run_at(data, partial(_why, public_id=public_id, as_json=as_json))


async def _why(
    place: Place, settings: Settings, *, public_id: str, as_json: bool
) -> int:
    async with opened(place, settings) as found, found.views.acquire() as db:
        told = await find(db, found.log.store, public_id)
    if told is None:
        typer.echo(f"nothing has the id {public_id}", err=True)
        return 1
    if as_json:
        typer.echo(msgspec.json.encode(told).decode())
    else:
        screen().print(as_tree(told))
    return 0
