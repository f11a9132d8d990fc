"""``palimpsest quarantine``: see what follows from something, and take it all back."""

from functools import partial
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from commands.quarantine import Quarantine, preview_quarantine
from commands.quarantine import quarantine as take
from commands.reach import Selected, Selection
from infra.cli.acting import Acting, acting, reason
from infra.cli.one_line import run_at
from infra.cli.options import Data, Json
from infra.cli.place import Place
from infra.cli.screen import screen
from infra.cli.taking_back import one_line, texts_of
from infra.cli.words import Why, readable
from infra.settings import Settings

_SHOWN = 20
"""Most lines of each kind in the table; ``--json`` has all."""


def quarantine(  # noqa: PLR0913  what may be selected by, each an option
    *,
    workspace: Annotated[str, typer.Option("--workspace", "-w", callback=readable)],
    peer: Annotated[
        str | None, typer.Option(help="Said by this peer.", callback=readable)
    ] = None,
    session: Annotated[
        str | None, typer.Option(help="Said in this session.", callback=readable)
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Said then or later.", callback=readable)
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Said before then.", callback=readable)
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(help="With this metadata, KEY=VALUE.", callback=readable),
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="Derived by it.", callback=readable)
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Derived with it.", callback=readable)
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(help="Derived with it.", callback=readable)
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Derived with it.", callback=readable)
    ] = None,
    why: Why = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take back all that follows from messages, or from what an engine derived.

    Shows it first and asks. It can be undone as one.
    """
    filters: dict[str, Any] = {}
    if peer is not None:
        filters["peer_id"] = peer
    if session is not None:
        filters["session_id"] = session
    bounds = {"gte": since, "lt": until}
    if since is not None or until is not None:
        filters["created_at"] = {n: at for n, at in bounds.items() if at is not None}
    if metadata:
        filters["metadata"] = dict(map(_pair, metadata))
    named = {"engine": engine, "model": model, "prompt": prompt, "version": version}
    source = {name: value for name, value in named.items() if value is not None}
    selection = Selection(filters=filters, source=source)
    command = Quarantine(workspace=workspace, selection=selection, note=why)
    run_at(data, partial(_quarantine, command=command, yes=yes, as_json=as_json))


def _pair(text: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not found or not key:
        raise typer.BadParameter(f"{text} is not KEY=VALUE")
    return key, value


async def _quarantine(
    place: Place, settings: Settings, *, command: Quarantine, yes: bool, as_json: bool
) -> int:
    async with acting(place, settings) as open_:
        shown = await preview_quarantine(
            open_.reach, command.workspace, command.selection
        )
        if not as_json:
            await _show(open_, command.workspace, shown.taken)
        if not yes and not (not as_json and typer.confirm("Take all of it back?")):
            _tell(None, shown.taken, as_json=as_json)
            return 0 if as_json else 1
        done = await take(open_.write, open_.reach, command, reason())
        answers = shown.taken.answers
        cards = shown.taken.cards
        taken = msgspec.structs.replace(done.taken, answers=answers, cards=cards)
        _tell(done.unit, taken, as_json=as_json)
    return 0


def _tell(unit: str | None, taken: Selected, *, as_json: bool) -> None:
    if as_json:
        told = {"unit": unit, **msgspec.structs.asdict(taken)}
        typer.echo(msgspec.json.encode(told).decode())
    else:
        screen().print("nothing was changed" if unit is None else f"unit {unit}")


async def _show(open_: Acting, workspace: str, taken: Selected) -> None:
    """Print a table of what would go, and what is touched and stays."""
    table = Table("what", "id", "of", "says")
    ids = [message for each in taken.messages for message in each.ids]
    said = await open_.views.fetch(_SAID, workspace, ids[:_SHOWN])
    for row in said:
        text = one_line(row["content"])
        table.add_row("withheld", row["id"], escape(row["peer"]), escape(text))
    gone, kept = taken.conclusions[:_SHOWN], taken.kept[:_SHOWN]
    lines = [("retracted", each.id) for each in gone]
    lines += [("kept", each.id) for each in kept]
    texts = await texts_of(open_, workspace, [id_ for _, id_ in lines])
    for what, id_ in lines:
        observed, content = texts.get(id_, ("", ""))
        table.add_row(what, id_, escape(observed), escape(one_line(content)))
    for summary in taken.summaries[:_SHOWN]:
        place = f"{summary.kind}, of session {summary.session}"
        table.add_row("withdrawn", summary.id, "", escape(place))
    for line in taken.cards[:_SHOWN]:
        said = escape(one_line(line.text))
        table.add_row("off the card", line.id, escape(line.observed), said)
    screen().print(table)
    screen().print(
        f"{len(ids)} messages withheld, {len(taken.conclusions)} conclusions retracted,"
        f" {len(taken.summaries)} summaries withdrawn; {len(taken.kept)} conclusions"
        f" lose something and stand, {len(taken.answers)} answers cite some of it,"
        f" {len(taken.cards)} lines of cards rest on it"
    )


_SAID = """
SELECT id, peer, content FROM message
WHERE tenant = $1 AND id = ANY ($2::text[]) ORDER BY position
"""
