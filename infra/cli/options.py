"""The options several commands share, spelled once."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option(help="The data folder; without it, yours of this machine."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
