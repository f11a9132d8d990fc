"""``palimpsest webhooks``: deliveries as they stand, and made again from the log."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated
from uuid import uuid4

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from commands.decide import Decide
from commands.delivery import replay_delivery
from domain.recorded import Cause
from domain.webhook import WebhookReplayRequested
from infra.cli.one_line import run_at
from infra.cli.opened import Opened, opened
from infra.cli.options import Data, Json
from infra.cli.place import Place
from infra.cli.screen import screen
from infra.settings import Settings
from projections.webhook_deliveries import Delivery, find_delivery, list_deliveries

_MOST = 10_000

Workspace = Annotated[str | None, typer.Option(help="Only of this workspace.")]
State = Annotated[
    str | None, typer.Option(help="Only pending, delivered, failed or dropped.")
]
Limit = Annotated[int, typer.Option(min=1, max=_MOST, help="The newest so many.")]
Id = Annotated[str | None, typer.Argument(help="The delivery, as listed.")]

webhooks = typer.Typer(help="Webhook deliveries: list, replay.", no_args_is_help=True)


@webhooks.command("list")
def list_them(
    workspace: Workspace = None,
    state: State = None,
    limit: Limit = 50,
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """List deliveries, the newest first, and what came of them."""
    asked = (workspace, state, limit)
    run_at(data, partial(_list, asked=asked, as_json=as_json))


@webhooks.command(context_settings={"ignore_unknown_options": True})
def replay(
    delivery: Id = None,
    workspace: Workspace = None,
    data: Data = None,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="All that failed.")] = False,
) -> None:
    """Make a delivery again, or all that failed; the running server does it."""
    chosen = None if failed else delivery
    if (delivery is None) != failed:
        raise typer.BadParameter("name one delivery, or say --failed")
    run_at(data, partial(_replay, delivery=chosen, workspace=workspace))


async def _list(
    place: Place,
    settings: Settings,
    *,
    asked: tuple[str | None, str | None, int],
    as_json: bool,
) -> None:
    async with opened(place, settings) as found, found.views.acquire() as db:
        listed = await list_deliveries(db, *asked)
    if as_json:
        typer.echo(msgspec.json.encode(listed).decode())
        return
    table = Table("delivery", "workspace", "event", "url", "state", "attempts", "last")
    for each in listed:
        table.add_row(
            each.id,
            each.workspace,
            each.kind,
            escape(each.url),
            each.state,
            str(each.attempts),
            str(each.status or each.error or ""),
        )
    screen().print(table if listed else "no delivery was asked for")


async def _replay(
    place: Place, settings: Settings, *, delivery: str | None, workspace: str | None
) -> int:
    async with opened(place, settings) as found:
        chosen = await _chosen(found, delivery, workspace)
        decide, replayed = Decide(found.log.store), 0
        for each in chosen:
            event = WebhookReplayRequested(
                workspace=each.workspace,
                delivery=each.id,
                endpoint=each.endpoint,
                requested_at=datetime.now(UTC),
            )
            cause = Cause(actor="operator", correlation_id=uuid4())
            if await replay_delivery(decide, event, cause) is not None:
                replayed += 1
    typer.echo(f"{replayed} of {len(chosen)} will be delivered again", err=True)
    return 0 if replayed or (chosen == [] and delivery is None) else 1


async def _chosen(
    found: Opened, delivery: str | None, workspace: str | None
) -> list[Delivery]:
    async with found.views.acquire() as db:
        if delivery is None:
            return await list_deliveries(db, workspace, "failed", _MOST)
        named = await find_delivery(db, delivery)
    return [each for each in named if workspace in {None, each.workspace}]
