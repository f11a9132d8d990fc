"""A benchmark of a server as a command: ``[--seconds S] [--json]``."""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.support.server import Server, running


def command(
    description: str | None,
    seconds: float,
    run: Callable[[Server, float], Awaitable[dict[str, Any]]],
    show: Callable[[Any, Console], None],
) -> None:
    """Start a server on a temporary folder, measure it, print what was found."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="palimpsest-") as folder,
        running(Path(folder) / "data", lawful=False) as server,
    ):
        result = asyncio.run(run(server, given.seconds))
    if given.json:
        print(json.dumps(result))
    else:
        show(result, Console(width=160))
