"""The command ``palimpsest``: which words it knows, and what each runs."""

import typer

from infra.cli.demo import demo
from infra.cli.events import events
from infra.cli.park import park
from infra.cli.rebuild import rebuild
from infra.cli.status import status
from infra.cli.trace import trace
from infra.cli.up import up

cli = typer.Typer(
    name="palimpsest",
    help="Memory for AI agents, kept as history.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command()(up)
cli.command()(demo)
cli.command()(status)
cli.command()(trace)
cli.command()(events)
cli.command()(rebuild)
cli.add_typer(park, name="park")

if __name__ == "__main__":
    cli()
