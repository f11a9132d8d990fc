"""The options several commands share, spelled once."""

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.words import readable

Data = Annotated[
    Path | None,
    typer.Option(help="The data folder; without it, yours of this machine."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
Workspace = Annotated[str | None, typer.Option("--workspace", "-w", help="Only of it.")]
OfWorkspace = Annotated[str, typer.Argument(help="The workspace.", callback=readable)]
Wait = Annotated[
    float,
    typer.Option(min=0, help="Seconds the others may take to be ready, at the start."),
]
VitalsHost = Annotated[
    str, typer.Option(help="The address of /health and, if on, /metrics.")
]
VitalsPort = Annotated[
    int, typer.Option(help="Their port; 0: any that is free, and it is said.")
]
