"""``palimpsest status``: head of the log, who follows it how closely, what waits."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

import msgspec
import typer
from rich.table import Table

from infra.cli.one_line import run_at
from infra.cli.opened import opened
from infra.cli.options import Data, Json
from infra.cli.place import Place
from infra.cli.screen import screen
from infra.cli.vector_lines import vector_lines
from infra.postgres.presence import Present
from infra.settings import Settings
from infra.standing import Consumer, Standing, Waiting, standing
from infra.views_stopped import views_stopped
from projections.derivation_ranges import StuckCount

_NOW: Final = 10.0
"""Seconds within which who tells every few of them is there."""


def status(
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Print the head position, each consumer's position and lag, and what waits."""
    run_at(data, partial(_status, as_json=as_json))


async def _status(place: Place, settings: Settings, *, as_json: bool) -> None:
    async with opened(place, settings) as found:
        now = await standing(found.views)
        views = [each for each in now.consumers if each.kind == "projection"]
        at = [each.position for each in views if each.position < now.head]
        stopped = await views_stopped(found.log.store, at)
        now = msgspec.structs.replace(now, stopped=stopped)
    if settings.kafka_bootstrap_servers is None:
        others = [each for each in now.consumers if each.kind != "relay"]
        now = msgspec.structs.replace(now, consumers=others)
    if as_json:
        typer.echo(msgspec.json.encode(now).decode())
    else:
        screen().print(_table(now))
        screen().print(_running(now.processes))
        for line in vector_lines(now.vectors, now.head):
            screen().print(line)
        if (signed := now.checkpoint) is not None:
            screen().print(
                f"signed up to position {signed.position}, {signed.age_seconds:.0f} s"
                f" ago, by key {signed.key_id}"
            )
        if (stopped := now.stopped) is not None:
            kind = f" ({stopped.type})" if stopped.type else ""
            told = f"position {stopped.position}{kind}: {stopped.reason}"
            screen().print(f"views stop at {told}", markup=False)
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


def _running(processes: Sequence[Present]) -> str:
    counts = Counter(each.role for each in processes)
    told = [name if n == 1 else f"{name} ({n})" for name, n in counts.items()]
    return f"running: {', '.join(told) or 'nothing'}"


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
        *(["last seen"] if any(_is_seen(each) for each in now.consumers) else []),
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
            *([_seen(each.seen_seconds)] if each.seen_seconds is not None else []),
        )
    return table


def _is_seen(each: Consumer) -> bool:
    return each.seen_seconds is not None


def _seen(seconds: float) -> str:
    """Say how long ago somebody who tells every few seconds told something."""
    return "now" if seconds < _NOW else f"{timedelta(seconds=round(seconds))} ago"
