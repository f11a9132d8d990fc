"""``palimpsest status``: head of the log, who follows it how closely, what waits."""

from functools import partial

import msgspec
import typer
from rich.table import Table

from infra.cli.one_line import run_at
from infra.cli.opened import opened
from infra.cli.options import Data, Json
from infra.cli.place import Place
from infra.cli.screen import screen
from infra.settings import Settings
from infra.standing import Standing, standing


def status(
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Print the head position, each consumer's position and lag, and parked keys."""
    run_at(data, partial(_status, as_json=as_json))


async def _status(place: Place, settings: Settings, *, as_json: bool) -> None:
    async with opened(place, settings) as found:
        now = await standing(found.views)
    if as_json:
        typer.echo(msgspec.json.encode(now).decode())
    else:
        screen().print(_table(now))
        if (signed := now.checkpoint) is not None:
            screen().print(
                f"signed up to position {signed.position}, {signed.age_seconds:.0f} s"
                f" ago, by key {signed.key_id}"
            )
        if now.webhooks:
            told = ", ".join(f"{n} {state}" for state, n in now.webhooks.items())
            screen().print(f"webhook deliveries: {told}")


def _table(now: Standing) -> Table:
    table = Table(
        *("consumer", "kind", "position", "lag", "seconds", "retrying", "parked"),
        title=f"head of the log: {now.head}",
    )
    for each in now.consumers:
        table.add_row(
            each.name,
            each.kind,
            str(each.position),
            str(each.lag_events),
            f"{each.lag_seconds:g}",
            str(each.retrying),
            str(each.parked),
        )
    return table
