"""``palimpsest relay verify``: is the topic the log, byte for byte?"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from infra.cli.one_line import run_at
from infra.cli.options import Data, Json
from infra.cli.place import Place, Unreachable
from infra.cli.relay_parts import relay_parts
from infra.cli.screen import screen
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.kafka.topic_report import Finding, Report, TopicReport

_SAYS: Final = {
    "missing": "is not there",
    "duplicated": "is there twice",
    "disordered": "comes after a later one",
    "misplaced": "is in another partition than its own",
    "changed": "is not as it was recorded",
    "unknown": "is not in the log",
    "foreign": "was written by no relay",
}


def relay_verify(
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Hold the topic against the log, record by record; 1 if anything is wrong.

    A relay may run meanwhile: what it had not written when this began is left out.
    """
    run_at(data, partial(_verify, as_json=as_json))


async def _verify(place: Place, settings: Settings, *, as_json: bool) -> int:
    from kafka.errors import KafkaError  # noqa: PLC0415  its packages

    from infra.kafka.topic_verification import verify_topic  # noqa: PLC0415
    from infra.kafka.trouble import told as said_of  # noqa: PLC0415

    async with relay_parts(place, settings) as parts:
        try:
            with _bar() as told:
                report = await verify_topic(parts, told)
        except KafkaError as error:
            said = f"the topic cannot be read ({said_of(error)})"
            raise Unreachable(said) from error
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
    else:
        for line in _lines(report):
            screen().print(line)
    return 0 if report.ok else 1


@contextmanager
def _bar() -> "Iterator[Callable[[str, int, int], None]]":
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} of {task.total}{task.fields[pace]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task("the topic", total=None, pace="")
    begun = time.monotonic()

    def told(topic: str, done: int, total: int) -> None:
        pace = f", {done / max(time.monotonic() - begun, 0.001):,.0f} events/s"
        bar.update(task, description=topic, completed=done, total=total, pace=pace)

    with bar:
        yield told


def _lines(report: "Report") -> "Iterator[str]":
    for each in report.topics:
        yield from _topic(each)
    if not report.topics:
        yield "no relay ever ran: there is no topic yet"
    if report.behind:
        yield f"  {report.behind} events of the log are not relayed yet"
    if not report.ok:
        yield "[bold red]the topic is not the log:[/] palimpsest relay rebuild-topic"


def _topic(found: "TopicReport") -> "Iterator[str]":
    rate = found.compared / max(found.seconds, 0.001)
    told = (
        f"{escape(found.topic)} ({found.state}): {found.compared} records up to"
        f" position {found.through}, {found.seconds:.1f} s, {rate:,.0f}/s"
    )
    if not found.wrong:
        yield f"[green]ok[/] {told}"
    else:
        counts = ", ".join(f"{n} {wrong}" for wrong, n in found.wrong.items())
        yield f"[bold red]BROKEN[/] {told}: {counts}"
    for each in found.examples:
        yield f"  {_finding(each)}"
    if found.trimmed:
        yield f"  {found.trimmed} were taken by the topic's retention"
    if found.unopened:
        yield f"  {found.unopened} clear values were not compared: no key for them here"


def _finding(each: "Finding") -> str:
    at = "" if each.partition is None else f" in partition {each.partition}"
    if each.offset is not None:
        at += f" at offset {each.offset}"
    which = "a record" if each.position is None else f"position {each.position}"
    parts = f": {', '.join(each.parts)}" if each.parts else ""
    return escape(f"{which}{at} {_SAYS[each.wrong]}{parts}")
