"""``palimpsest schemas``: what stands in the topic, for those who read it."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from domain.events import EVENT_BY_TAG
from infra.asyncapi.document import document_of
from infra.asyncapi.event_schemas import alone, stored_events
from infra.cli.one_line import run
from infra.settings import Settings
from infra.upcasters import UPCASTERS


def schemas(
    out: Annotated[
        Path | None,
        typer.Option(help="Write a file for each event here, and asyncapi.json."),
    ] = None,
) -> None:
    """Print the JSON Schema of each event by its tag, or write them as files."""
    run(partial(_schemas, out=out))


async def _schemas(settings: Settings, *, out: Path | None) -> None:
    events = stored_events(EVENT_BY_TAG, UPCASTERS)
    found = {tag: alone(tag, event) for tag, event in events.items()}
    if out is None:
        typer.echo(msgspec.json.encode(found).decode())
        return
    _write(out, found | {"asyncapi": document_of(settings, events)})
    typer.echo(f"{len(found)} schemas and asyncapi.json are in {out}")


def _write(out: Path, told: dict[str, dict[str, Any]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name, each in told.items():
        text = msgspec.json.format(msgspec.json.encode(each), indent=2)
        (out / f"{name}.json").write_bytes(text + b"\n")
