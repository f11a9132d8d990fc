"""``palimpsest up``: Postgres, API, projections and workers under one command."""

from functools import partial
from typing import Annotated

import typer

from infra.cli.one_line import run_at
from infra.cli.options import Data
from infra.cli.serve import serve
from infra.roles import UP


def up(
    host: Annotated[str, typer.Option(help="The address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to serve on.")] = 8000,
    data: Data = None,
) -> None:
    """Start everything and serve until SIGINT or SIGTERM."""
    run_at(data, partial(serve, role=UP, at=(host, port)))
