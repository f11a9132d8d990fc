"""Turns what a person can mend into one clear line and exit code 2."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import typer
import uvloop
from rich.console import Console

from infra.cli.place import NothingHere, Unreachable
from infra.door import PortTaken
from infra.master_key import MasterKeyUnusable
from infra.postgres.embedded import EmbeddedPostgresError
from infra.postgres.migrate import DatabaseNewer

MENDABLE = (
    DatabaseNewer,
    EmbeddedPostgresError,
    MasterKeyUnusable,
    NothingHere,
    PortTaken,
    Unreachable,
)


def run(work: Coroutine[Any, Any, int | None]) -> None:
    """Run a command to its end; leave with its code, or 2 and one line."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(work)
    except MENDABLE as error:
        line = " ".join(str(error).split())
        Console(stderr=True, soft_wrap=True).print(f"palimpsest: {line}", markup=False)
        raise typer.Exit(2) from None
    raise typer.Exit(code or 0)
