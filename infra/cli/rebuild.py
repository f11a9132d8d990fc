"""``palimpsest rebuild``: fold views anew from the log, beside a running server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Annotated

import asyncpg
import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from infra.cli.one_line import run_at
from infra.cli.options import Data, Json
from infra.cli.place import Place, Unreachable, beside, processes_of
from infra.cli.screen import screen
from infra.key_source import master_key_of
from infra.log_choice import log_settings
from infra.postgres.connection import FAILED, is_lost
from infra.postgres.log import PostgresLog
from infra.postgres.migrate import check_migrated, migrate
from infra.postgres.views import drifted_views, make_views
from infra.rebuild.crew import Hands
from infra.rebuild.rebuild import rebuild as fold_anew
from infra.rebuild.report import Progress, RebuildFailed, Report, ViewsDrifted
from infra.settings import Settings
from projections.registry import LAGGING, PROMPT

_EVERYTHING = (*PROMPT, *LAGGING)
_LOST = "the database was lost: run it again, it goes on where it was"
_FULL = (
    "the database has no connection left for it: free some, or raise max_connections,"
    " and run it again, it goes on where it was"
)
_EVERY = 1.0  # seconds between two lines of JSON


def rebuild(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROJECTION]...", help="Views to fold anew."),
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Fold every view anew.")
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Throw away what a broken off rebuild had done."),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Fold views from position 0 and put them in place of the live ones.

    A server may run meanwhile. Killed, it goes on where it was when it is run again.
    """
    if everything == bool(names):
        raise typer.BadParameter("name projections, or say --all")
    chosen = None if everything else tuple(names or ())
    run_at(data, partial(_rebuild, names=chosen, fresh=fresh, as_json=as_json))


async def _rebuild(
    place: Place,
    settings: Settings,
    *,
    names: tuple[str, ...] | None,
    fresh: bool,
    as_json: bool,
) -> int:
    async with beside(place) as dsn:
        chosen = log_settings(settings, announces=False)
        await _check(dsn, chosen.keys_dsn)
        key = master_key_of(place.data, settings)
        async with PostgresLog.open(dsn, key, chosen) as log:
            await log.keys.verify()
            hands = Hands(place.data, chosen.keys_dsn)
            try:
                with _lines() if as_json else _bar() as told:
                    report = await fold_anew(
                        dsn,
                        log,
                        _EVERYTHING,
                        names,
                        hands=hands,
                        fresh=fresh,
                        told=told,
                    )
            except RebuildFailed as error:
                _show_failures(error, as_json=as_json)
                return 1
            except BrokenPipeError:
                raise  # who reads our output has enough; no database was lost
            except FAILED as error:
                if isinstance(error, asyncpg.TooManyConnectionsError):
                    raise Unreachable(_FULL) from error
                if is_lost(error):
                    raise Unreachable(_LOST) from error
                raise
    _show(report, as_json=as_json)
    return 0


async def _check(dsn: str, keys_dsn: str | None) -> None:
    """Prepare the database, or only look at it where a server uses it.

    Raises:
        ViewsDrifted: the server is of other code; its tables cannot be given to it.
        DatabaseNewer, DatabaseOlder: so is all of the database.
    """
    if not await processes_of(dsn):
        await migrate(dsn, keys_dsn=keys_dsn)
        await make_views(dsn, _EVERYTHING)
        return
    await check_migrated(dsn)
    connection = await asyncpg.connect(dsn)
    try:
        drifted = await drifted_views(connection, _EVERYTHING)
    finally:
        await connection.close()
    if drifted:
        raise ViewsDrifted(
            f"the running server folds {', '.join(drifted)} by other code than this "
            "one's: stop it first"
        )


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} of {task.total}{task.fields[pace]}"),
        console=Console(stderr=True),
    )
    tasks: dict[str, TaskID] = {}

    def told(reached: Progress) -> None:
        if reached.stage not in tasks:
            tasks[reached.stage] = bar.add_task(reached.stage, pace="", total=None)
        bar.update(
            tasks[reached.stage],
            completed=reached.position,
            total=reached.head,
            pace=_pace(reached),
        )

    with bar:
        yield told


def _pace(reached: Progress) -> str:
    if reached.rate is None or reached.remaining is None or reached.stage == "index":
        return ""
    return f", {reached.rate:,.0f} positions/s, {reached.remaining:.0f} s to go"


@contextmanager
def _lines() -> Iterator[Callable[[Progress], None]]:
    said: dict[str, float] = {}

    def told(reached: Progress) -> None:
        last = said.get(reached.stage)
        if (
            last is None
            or reached.position == reached.head
            or monotonic() - last > _EVERY
        ):
            said[reached.stage] = monotonic()
            line = msgspec.structs.asdict(reached)
            line |= {"rate": reached.rate, "remaining": reached.remaining}
            typer.echo(msgspec.json.encode(line).decode())

    yield told


def _show_failures(error: RebuildFailed, *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode({"failures": error.failures}).decode())
    else:
        table = Table("projection", "event type", "position", "error")
        for each in error.failures:
            table.add_row(each.projection, each.type, str(each.position), each.error)
        screen().print(table)
    typer.echo(f"palimpsest: {error}", err=True)


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    shown = screen()
    if report.added:
        shown.print(f"folded too, for they belong together: {', '.join(report.added)}")
    if report.resumed:
        shown.print(f"gone on from position {report.resumed}")
    for each in report.differences:
        shown.print(f"the live {each.table} was not as the log says: {each.found}")
    rate = (report.events - report.resumed) / max(report.seconds, 0.001)
    shown.print(
        f"{report.events} events folded in {report.seconds:.1f} s ({rate:,.0f}/s); "
        f"reads waited {report.swap_ms:.0f} ms, writes {report.held_ms:.0f} ms"
    )
