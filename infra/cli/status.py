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
from infra.cli.vector_lines import vector_lines
from infra.settings import Settings
from infra.standing import Standing, Waiting, standing
from projections.derivation_ranges import StuckCount


def status(
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Print the head position, each consumer's position and lag, and what waits."""
    run_at(data, partial(_status, as_json=as_json))


async def _status(place: Place, settings: Settings, *, as_json: bool) -> None:
    async with opened(place, settings) as found:
        now = await standing(found.views)
    if as_json:
        typer.echo(msgspec.json.encode(now).decode())
    else:
        screen().print(_table(now))
        for line in vector_lines(now.vectors, now.head):
            screen().print(line)
        if (signed := now.checkpoint) is not None:
            screen().print(
                f"signed up to position {signed.position}, {signed.age_seconds:.0f} s"
                f" ago, by key {signed.key_id}"
            )
        for each in now.waiting:
            screen().print(_waits(each), markup=False)
        for stuck in now.stuck:
            screen().print(_is_stuck(stuck), markup=False)
        if now.dreams:
            told = ", ".join(f"{n} {state}" for state, n in now.dreams.items())
            screen().print(f"dreams: {told}")
        if now.webhooks:
            told = ", ".join(f"{n} {state}" for state, n in now.webhooks.items())
            screen().print(f"webhook deliveries: {told}")


def _waits(found: Waiting) -> str:
    keys = "a key" if found.keys == 1 else f"{found.keys} keys"
    state = "parked" if found.state == "parked" else "tried again"
    return (
        f"{found.processor}: {keys} {state} for {found.reason}, "
        f"since {found.seconds:.0f} s, {found.attempts} attempts"
    )


def _is_stuck(found: StuckCount) -> str:
    many = "a derivation" if found.ranges == 1 else f"{found.ranges} derivations"
    return f"workspace {found.workspace}: {many} {found.state}"


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
