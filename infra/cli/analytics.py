"""``palimpsest analytics``: daily roll-ups of the topic: count, see, export them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import asyncpg
import msgspec
import typer

from infra.analytics.counting import count_topic
from infra.analytics.report import daily, progress
from infra.analytics.sign_of_life import sign_of_life
from infra.analytics.store import RollUps
from infra.cli.analytics_table import table_of
from infra.cli.one_line import run_at
from infra.cli.options import Data, Json, VitalsHost, VitalsPort, Wait, Workspace
from infra.cli.place import NothingHere, Place, beside, check_reachable
from infra.cli.screen import screen
from infra.kafka.client import check_client
from infra.postgres.connection import close_pool, open_pool
from infra.postgres.migrate import check_migrated, migrate_analytics
from infra.settings import Settings
from infra.stopping import stop

if TYPE_CHECKING:
    from infra.analytics.parquet import End
    from infra.cli.process import Say
    from infra.kafka.trouble import Trouble
    from infra.vitals import Vitals

Ready = Callable[[str, "Trouble"], Awaitable[None]]
"""Is told the log's database and why the topic cannot be read; counting begins."""

_NAME: Final = "palimpsest-analytics"

Out = Annotated[Path, typer.Option("--out", help="The folder to write to.")]
Once = Annotated[bool, typer.Option("--once", help="Stop where the topic ends now.")]
Days = Annotated[int, typer.Option(min=1, max=3_660, help="How many days back.")]

analytics = typer.Typer(
    help="Daily roll-ups of the topic: count them, see them, export them.",
    no_args_is_help=True,
)


@analytics.command()
def run(
    parquet: Annotated[
        Path | None, typer.Option(help="Keep days that are over here, as Parquet.")
    ] = None,
    once: Once = False,  # noqa: FBT002  a switch of the command line
    host: VitalsHost = "127.0.0.1",
    port: VitalsPort = 0,
    wait: Wait = 60.0,
    data: Data = None,
) -> None:
    """Count the topic as it grows, until SIGINT or SIGTERM."""
    if once:
        run_at(data, partial(_count, parquet=parquet, once=True))
    run_at(data, partial(_run, parquet=parquet, at=(host, port), wait=wait))


@analytics.command()
def show(
    workspace: Workspace = None,
    days: Days = 14,
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Print what happened on the last days of each workspace (days are of UTC)."""
    run_at(data, partial(_show, workspace=workspace, days=days, as_json=as_json))


@analytics.command()
def export(out: Out, data: Data = None) -> None:
    """Write every counted day as Parquet, of which today is written again later."""
    run_at(data, partial(_export, out=out))


@analytics.command()
def rebuild(data: Data = None) -> None:
    """Forget all that is counted: `analytics run` counts it anew from the topic."""
    run_at(data, _rebuild)


async def _run(
    place: Place,
    settings: Settings,
    *,
    parquet: Path | None,
    at: tuple[str, int],
    wait: float,
) -> int:
    from infra.cli.process import run_role  # noqa: PLC0415  the others are quicker
    from infra.cli.reach import Patience, reach  # noqa: PLC0415
    from infra.postgres.view_readers import open_view_readers  # noqa: PLC0415
    from infra.telemetry.telemetry import open_telemetry  # noqa: PLC0415

    check_client(settings)

    async def live(vitals: "Vitals", say: "Say") -> None:
        await reach(place, settings, Patience(wait, say), reads=False)
        async with open_telemetry(settings) as telemetry, AsyncExitStack() as running:

            async def ready(dsn: str, away: "Trouble") -> None:
                readers = open_view_readers(dsn, size=1)
                pool = await running.enter_async_context(readers)
                vitals.metrics = telemetry.exposition(pool)
                vitals.is_ready = lambda: True
                vitals.detail = away.detail

            await _count(place, settings, parquet=parquet, ready=ready, say=say)

    return await run_role("analytics", settings, at, live)


async def _count(
    place: Place,
    settings: Settings,
    *,
    parquet: Path | None,
    once: bool = False,
    ready: Ready | None = None,
    say: "Say | None" = None,
) -> None:
    from infra.analytics.topic import open_topic  # noqa: PLC0415  its packages
    from infra.telemetry.log_lines import start_logging  # noqa: PLC0415

    start_logging(settings)
    uri = settings.analytics_connection_uri
    check_client(settings)
    async with (
        beside(place) as dsn,
        _roll_ups(dsn if uri is None else uri.get_secret_value()) as pool,
        open_topic(dsn, settings) as topic,
    ):
        await check_migrated(dsn)
        until = await topic.end()
        if once and until is None:
            raise NothingHere("there is no topic yet: `palimpsest relay run` makes it")
        roll_ups = RollUps(pool)
        begun = (await roll_ups.stands()).position
        if ready is not None:
            await ready(dsn, topic.away)
        tell = say or partial(typer.echo, err=True)
        tell(f"counting {settings.kafka_topic} from {begun + 1} on")
        counting = count_topic(topic.subscribe, roll_ups, until=until if once else None)
        async with sign_of_life(topic.log, roll_ups):
            if parquet is None:
                await counting
            else:
                await _beside(counting, parquet, pool, topic.end)


async def _beside(
    counting: Coroutine[Any, Any, None],
    folder: Path,
    pool: asyncpg.Pool,
    end: "End",
) -> None:
    """Count, and write each day once it is over; whatever fails ends both."""
    from infra.analytics.parquet import ParquetFolder  # noqa: PLC0415  an extra

    kept = ParquetFolder(folder)
    tasks = {asyncio.create_task(counting), asyncio.create_task(kept.keep(pool, end))}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()
    finally:
        await stop(*tasks)
    await kept.export_over(pool, end)


async def _show(
    place: Place,
    settings: Settings,
    *,
    workspace: str | None,
    days: int,
    as_json: bool,
) -> None:
    today = datetime.now(UTC).date()
    async with _looked_at(place, settings) as pool:
        reached = await progress(pool)
        found = await daily(pool, workspace, today - timedelta(days=days - 1), date.max)
    if as_json:
        told = {"position": reached.position, "at": reached.at, "days": found}
        typer.echo(msgspec.json.encode(told).decode())
        return
    screen().print(table_of(found, reached))


async def _export(place: Place, settings: Settings, *, out: Path) -> None:
    from infra.analytics.parquet import ParquetFolder  # noqa: PLC0415  an extra

    async with _looked_at(place, settings) as pool:
        written = await ParquetFolder(out).export(pool)
    typer.echo(f"{len(written)} days were written to {out}")


async def _rebuild(place: Place, settings: Settings) -> None:
    async with _looked_at(place, settings) as pool:
        await RollUps(pool).forget()
    typer.echo("forgotten: `palimpsest analytics run` counts from position 1")


@asynccontextmanager
async def _looked_at(place: Place, settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """Open the roll-ups alone: of the log only its database is asked for, if at all.

    Raises:
        NothingHere, Unreachable, EmbeddedPostgresError, DatabaseNewer
    """
    if (uri := settings.analytics_connection_uri) is not None:
        dsn = uri.get_secret_value()
        await check_reachable(dsn, "ANALYTICS_CONNECTION_URI")
        async with _roll_ups(dsn) as pool:
            yield pool
        return
    async with beside(place) as dsn, _roll_ups(dsn) as pool:
        yield pool


@asynccontextmanager
async def _roll_ups(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """Open the database of the roll-ups; its tables are made where there are none."""
    await migrate_analytics(dsn)
    pool = await open_pool(dsn, role=None, name=_NAME, size=2)
    try:
        yield pool
    finally:
        await close_pool(pool)
