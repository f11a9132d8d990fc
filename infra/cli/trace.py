"""``palimpsest trace``: a message's or conclusion's story, each under its cause."""

from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
import typer
from rich.text import Text
from rich.tree import Tree

from infra.cli.one_line import run_at
from infra.cli.opened import Opened, opened
from infra.cli.options import Data, Json
from infra.cli.place import Place
from infra.cli.record_line import as_line, as_object
from infra.cli.screen import screen
from infra.settings import Settings
from infra.trace import Traced
from infra.trace import trace as follow


def trace(
    public_id: Annotated[str, typer.Argument(help="A message's or conclusion's id.")],
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Print every record of a message's or conclusion's story."""
    run_at(data, partial(_trace, public_id=public_id, as_json=as_json))


async def _trace(
    place: Place, settings: Settings, *, public_id: str, as_json: bool
) -> int:
    async with opened(place, settings) as found:
        story = await story_of(found, public_id)
    if not story:
        typer.echo(f"nothing has the id {public_id}", err=True)
        return 1
    if as_json:
        records = [
            as_object(each.record) | {"under": each.under and str(each.under)}
            for each in story
        ]
        typer.echo(msgspec.json.encode(records).decode())
    else:
        screen().print(as_tree(public_id, story))
    return 0


async def story_of(found: Opened, public_id: str) -> list[Traced]:
    """Return the records of the story in log order; empty if the id is unknown."""
    return await follow(found.views, found.log.store, public_id)


def as_tree(public_id: str, story: list[Traced]) -> Tree:
    """Draw each record under its cause; requests stand at the root."""
    root = Tree(Text(public_id, style="bold"))
    branches: dict[UUID | None, Tree] = {None: root}
    for each in story:
        above = branches.get(each.under, root)
        branches[each.record.id] = above.add(Text(as_line(each.record)))
    return root
