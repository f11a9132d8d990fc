"""``palimpsest usage``: what models took, and how workspaces stand to their budgets."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from infra.cli.one_line import run_at
from infra.cli.opened import Opened, opened
from infra.cli.options import Data, Json
from infra.cli.place import Place
from infra.cli.screen import screen
from infra.ledger.standing import Budgets
from infra.ledger.wiring import budget_of_all
from infra.settings import Settings
from projections.spending import Group, Wanted, sum_up, workspaces_that_spent
from read_api.usage import BudgetShown, UsageRow, budget_shown, usage_row

_MOST = 10_000

Workspace = Annotated[
    str | None, typer.Option("--workspace", "-w", help="Only of this workspace.")
]
By = Annotated[str, typer.Option("--by", help="feature, peer, model or day.")]
Since = Annotated[
    datetime | None,
    typer.Option("--since", formats=["%Y-%m-%d"], help="From this day of UTC on."),
]

_GROUPS: dict[str, Group] = {
    "feature": "feature",
    "peer": "peer",
    "model": "model",
    "day": "day",
}


class WorkspaceUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What models took in one workspace, by group and in all, and its budget."""

    workspace: str
    groups: list[UsageRow]
    totals: UsageRow
    budget: BudgetShown


def usage(
    workspace: Workspace = None,
    by: By = "feature",
    since: Since = None,
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Print tokens and cost of models by workspace, and what is left to spend."""
    if by not in _GROUPS:
        raise typer.BadParameter(f"{by!r} is none of {', '.join(_GROUPS)}")
    wanted = Wanted(
        tenant=workspace or "",
        groups=(_GROUPS[by],),
        first=None if since is None else since.date(),
    )
    run_at(data, partial(_usage, wanted=wanted, as_json=as_json))


async def _usage(
    place: Place, settings: Settings, *, wanted: Wanted, as_json: bool
) -> None:
    async with opened(place, settings) as found:
        budgets = Budgets(found.log.calls, budget_of_all(settings), _now)
        async with found.views.acquire() as db:
            names = (
                [wanted.tenant] if wanted.tenant else await workspaces_that_spent(db)
            )
        told = [await _of(found, budgets, wanted, name) for name in names]
    if as_json:
        typer.echo(msgspec.json.encode(told).decode())
        return
    for each in told:
        screen().print(_table(each, wanted.groups[0]))
        screen().print(_budget(each.budget), markup=False)
    if not told:
        screen().print("no model was asked for anybody")


async def _of(
    found: Opened, budgets: Budgets, wanted: Wanted, workspace: str
) -> WorkspaceUsage:
    own = msgspec.structs.replace(wanted, tenant=workspace)
    async with found.views.acquire() as db:
        summed = await sum_up(db, own, _MOST)
    return WorkspaceUsage(
        workspace=workspace,
        groups=[usage_row(each) for each in summed.groups],
        totals=usage_row(summed.whole),
        budget=budget_shown(await budgets(workspace)),
    )


def _table(told: WorkspaceUsage, group: str) -> Table:
    numbers = ("calls", "failed", "requests", "in", "cached", "out", "USD", "no price")
    table = Table(title=escape(told.workspace), show_footer=True)
    table.add_column(group, "in all")
    for name, whole in zip(numbers, _cells(told.totals), strict=True):
        table.add_column(name, whole, justify="right")
    for each in told.groups:
        table.add_row(escape(each.key) or "-", *_cells(each))
    return table


def _cells(row: UsageRow) -> list[str]:
    counts = (
        row.calls,
        row.failed_calls,
        row.requests,
        row.input_tokens,
        row.cached_tokens,
        row.output_tokens,
    )
    whole = [f"{each:,}" for each in counts]
    return [*whole, f"{row.cost_usd:.6f}", f"{row.unpriced_calls:,}"]


def _budget(shown: BudgetShown) -> str:
    """Say how a workspace stands: used up, so much of it, or without a cap."""
    if shown.state == "no cap":
        return "no budget is set"
    if shown.message is not None:
        return shown.message
    caps = []
    if shown.max_cost_usd is not None:
        caps.append(f"{shown.spent_usd:.6f} of {shown.max_cost_usd:.2f} USD")
    if shown.max_tokens is not None:
        caps.append(f"{shown.spent_tokens:,} of {shown.max_tokens:,} tokens")
    renews = "" if shown.renews_at is None else f"; renews {shown.renews_at:%Y-%m-%d}"
    return f"budget: {' and '.join(caps)} are spent{renews}"


def _now() -> datetime:
    return datetime.now(UTC)
