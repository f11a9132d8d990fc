"""``palimpsest api``: the HTTP API alone; others fold and react."""

from functools import partial
from typing import Annotated

import typer

from infra.cli.one_line import run_at
from infra.cli.options import Data, Wait
from infra.cli.serve import serve
from infra.roles import API


def api(
    host: Annotated[str, typer.Option(help="The address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to serve on.")] = 8000,
    wait: Wait = 60.0,
    data: Data = None,
) -> None:
    """Answer HTTP until SIGINT or SIGTERM: appends, reads, chat; folds nothing."""
    run_at(data, partial(serve, role=API, at=(host, port), wait=wait))
