"""``palimpsest retract``, ``correct`` and ``undo``: take conclusions back by hand."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from commands.correction import CorrectConclusion
from commands.correction import correct as say_right
from commands.ports import Held
from commands.retraction import (
    RetractConclusion,
    Retracted,
    preview_retraction,
)
from commands.retraction import (
    retract as take_back,
)
from commands.undo import UndoRetraction
from commands.undo import undo as bring_back
from infra.cli.acting import Acting, NobodyEmbeds, acting, reason
from infra.cli.one_line import run_at
from infra.cli.options import Data, Json
from infra.cli.place import Place
from infra.cli.screen import screen
from infra.cli.words import Why, readable, said
from infra.settings import Settings

Conclusion = Annotated[
    str,
    typer.Argument(help="The conclusion's id, of anybody's.", callback=readable),
]
Right = Annotated[
    str, typer.Argument(metavar="TEXT", help="What is right.", callback=said)
]
Unit = Annotated[
    str,
    typer.Argument(help="The unit, as it was told or listed.", callback=readable),
]


def retract(
    conclusion: Conclusion,
    why: Why = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go, and stop.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Retract a conclusion for everybody, with what was built on it."""
    work = partial(_retract, named=(conclusion, why), dry_run=dry_run, as_json=as_json)
    run_at(data, work)


def correct(
    conclusion: Conclusion,
    content: Right,
    why: Why = None,
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Say a conclusion right, for all who hold it."""
    run_at(data, partial(_correct, named=(conclusion, why, content), as_json=as_json))


def undo(
    unit: Unit,
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Undo what was retracted, corrected or quarantined, as one."""
    run_at(data, partial(_undo, unit=unit, as_json=as_json))


async def _retract(
    place: Place,
    settings: Settings,
    *,
    named: tuple[str, str | None],
    dry_run: bool,
    as_json: bool,
) -> int:
    async with acting(place, settings) as open_:
        found = await _find(open_, named[0])
        if found is None:
            return _unknown(named[0])
        workspace, held = found
        if dry_run:
            done = await preview_retraction(
                open_.reach, workspace, held, everywhere=True
            )
        else:
            command = RetractConclusion(workspace=workspace, held=held, note=named[1])
            done = await take_back(open_.write, open_.reach, command, reason())
        await _show(open_, workspace, done, as_json=as_json)
    return 0


async def _correct(
    place: Place,
    settings: Settings,
    *,
    named: tuple[str, str | None, str],
    as_json: bool,
) -> int:
    async with acting(place, settings) as open_:
        found = await _find(open_, named[0])
        if found is None:
            return _unknown(named[0])
        workspace, held = found
        command = CorrectConclusion(
            workspace=workspace, held=held, content=named[2], note=named[1]
        )
        done = await say_right(
            open_.write, open_.reach, NobodyEmbeds(), command, reason()
        )
        await _show(open_, workspace, done.retracted, as_json=as_json)
    return 0


async def _undo(place: Place, settings: Settings, *, unit: str, as_json: bool) -> int:
    async with acting(place, settings) as open_:
        workspace = await open_.views.fetchval(_UNIT, unit)
        if workspace is None:
            return _unknown(unit)
        command = UndoRetraction(workspace=workspace, unit=unit)
        done = await bring_back(open_.write, open_.reach, command, reason())
    state = done.state
    back = [each.id for each in state.conclusions if each.id not in state.lost]
    if as_json:
        told = {"unit": unit, "reinstated": back, "lost": state.lost}
        typer.echo(msgspec.json.encode(told).decode())
        return 0
    said = sum(len(each.ids) for each in state.messages)
    screen().print(
        f"undone: {len(back)} conclusions hold again, {len(state.summaries)} summaries"
        f" and {said} messages are recalled again, but for {len(state.lost)} of them"
    )
    for each in state.lost:
        screen().print(f"  does not come back: {each}")
    return 0


async def texts_of(
    open_: Acting, workspace: str, ids: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Return whom conclusions are about and what they say, by id."""
    rows = await open_.views.fetch(_TEXTS, workspace, list(ids))
    return {row["origin"]: (row["observed"], row["content"]) for row in rows}


async def _show(
    open_: Acting, workspace: str, done: Retracted, *, as_json: bool
) -> None:
    ids = [each.id for each in done.conclusions] + [each.id for each in done.kept]
    texts = await texts_of(open_, workspace, ids)
    lines: list[dict[str, Any]] = [
        {"id": e.id, "what": "retracted", "because": e.because}
        for e in done.conclusions
    ]
    lines += [{"id": e.id, "what": "kept", "because": e.lost} for e in done.kept]
    for line in lines:
        line["observed"], line["content"] = texts.get(line["id"], ("", ""))
    if as_json:
        told = {"unit": done.unit, "conclusions": lines}
        typer.echo(msgspec.json.encode(told).decode())
        return
    table = Table("what", "conclusion", "of", "says", "because of")
    for line in lines:
        table.add_row(
            line["what"],
            line["id"],
            escape(line["observed"]),
            escape(one_line(line["content"])),
            line["because"] or "",
        )
    screen().print(table)
    screen().print("nothing was changed" if done.unit is None else f"unit {done.unit}")


def one_line(text: str) -> str:
    """Return a text as it can stand in a table."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


async def _find(open_: Acting, conclusion: str) -> tuple[str, Held] | None:
    """Find the workspace of a conclusion, and who holds it."""
    workspace = await open_.views.fetchval(_CONCLUSION, conclusion)
    held = None
    if workspace is not None:
        held = await open_.reach.held(workspace, conclusion)
    return None if held is None else (workspace, held)


def _unknown(name: str) -> int:
    typer.echo(f"nothing has the id {name}", err=True)
    return 1


_CONCLUSION = "SELECT tenant FROM conclusion WHERE id = $1 LIMIT 1"
_UNIT = "SELECT tenant FROM retraction WHERE unit = $1 LIMIT 1"
_TEXTS = """
SELECT DISTINCT ON (origin) origin, observed, content FROM conclusion
WHERE tenant = $1 AND origin = ANY ($2::text[]) ORDER BY origin, from_position DESC
"""
