"""The words ``palimpsest`` knows, and what each runs."""

import typer

from infra.cli.analytics import analytics
from infra.cli.api import api
from infra.cli.checkpoint import checkpoint
from infra.cli.demo import demo
from infra.cli.derivations import derivations
from infra.cli.dreams import dreams
from infra.cli.events import events
from infra.cli.keys import keys
from infra.cli.migrate import migrate
from infra.cli.park import park
from infra.cli.projector import projector
from infra.cli.quarantine import quarantine
from infra.cli.rebuild import rebuild
from infra.cli.relay import relay
from infra.cli.reset import reset
from infra.cli.schemas import schemas
from infra.cli.settings import settings
from infra.cli.status import status
from infra.cli.taking_back import correct, retract, undo
from infra.cli.trace import trace
from infra.cli.up import up
from infra.cli.usage import usage
from infra.cli.vectors import vectors
from infra.cli.verify import run_verify
from infra.cli.webhooks import webhooks
from infra.cli.why import why
from infra.cli.worker import worker

app = typer.Typer(
    name="palimpsest",
    help="Memory for AI agents, kept as history.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(up)
app.command()(demo)
for role in (migrate, api, projector, worker):
    app.command()(role)
app.command()(status)
# One id in 64 begins with a dash.
app.command(context_settings={"ignore_unknown_options": True})(trace)
app.command(context_settings={"ignore_unknown_options": True})(why)
for named in (retract, correct, undo):
    app.command(context_settings={"ignore_unknown_options": True})(named)
app.command()(quarantine)
app.command()(events)
app.command()(rebuild)
app.command()(reset)
app.command()(checkpoint)
app.command("verify")(run_verify)
app.command()(usage)
app.command()(settings)
app.command()(schemas)
app.add_typer(keys, name="keys")
app.add_typer(analytics, name="analytics")
app.add_typer(park, name="park")
app.add_typer(derivations, name="derivations")
app.add_typer(dreams, name="dreams")
app.add_typer(webhooks, name="webhooks")
app.add_typer(vectors, name="vectors")
app.add_typer(relay, name="relay")
