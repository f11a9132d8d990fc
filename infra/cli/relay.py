"""``palimpsest relay``: the log copied to its Kafka topic: run, look, begin anew."""

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from infra.cli.one_line import run_at
from infra.cli.options import Data, Json, VitalsHost, VitalsPort, Wait
from infra.cli.place import Place, Unreachable, beside
from infra.cli.relay_acls import relay_acls
from infra.cli.relay_parts import relay_parts
from infra.cli.relay_retire import relay_retire
from infra.cli.relay_verify import relay_verify
from infra.cli.screen import screen
from infra.kafka.client import check_client
from infra.kafka.letter_box import MOST
from infra.kafka.standing import RelayStanding, relay_standing
from infra.postgres.connection import open_pool
from infra.postgres.migrate import check_migrated
from infra.roles import RELAY
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.cli.process import Say
    from infra.kafka.filling import Filled
    from infra.vitals import Vitals

_BROKERS: Final = (
    "the brokers of KAFKA_BOOTSTRAP_SERVERS do not do what is asked ({}): run it again"
    " once they do, it goes on where it was"
)

_OVERTAKEN: Final = (
    "the database was lost, or another command went on meanwhile: run it again, it goes"
    " on where it was"
)

relay = typer.Typer(
    help="The log copied to Kafka: run, status, verify, rebuild-topic, repartition,"
    " retire, acls.",
    no_args_is_help=True,
)


relay.command("verify")(relay_verify)
relay.command("retire")(relay_retire)
relay.command("acls")(relay_acls)


@relay.command()
def run(
    host: VitalsHost = "127.0.0.1",
    port: VitalsPort = 0,
    wait: Wait = 60.0,
    data: Data = None,
) -> None:
    """Copy the log to its topic until SIGINT or SIGTERM; several take turns."""
    run_at(data, partial(_run, at=(host, port), wait=wait))


@relay.command()
def status(
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Print how far each generation of the topic is, who leads, and how late it is."""
    run_at(data, partial(_status, as_json=as_json))


@relay.command("rebuild-topic")
def rebuild_topic(data: Data = None) -> None:
    """Make the topic anew from the log, as its next generation.

    Works where the former one is whole, damaged or gone, beside a running relay or
    not. Killed, it goes on where it was when it is run again.
    """
    run_at(data, partial(_fill, partitions=None))


@relay.command()
def repartition(
    partitions: Annotated[
        int, typer.Option(min=1, max=1024, help="How many the topic is to have.")
    ],
    data: Data = None,
) -> None:
    """Fill a topic of so many partitions from the log, then change over to it.

    A running relay and consumers go on meanwhile, and follow. Killed, it goes on where
    it was when it is run again.
    """
    run_at(data, partial(_fill, partitions=partitions))


async def _run(
    place: Place, settings: Settings, *, at: tuple[str, int], wait: float
) -> int:
    from infra.cli.process import run_role  # noqa: PLC0415  the others are quicker

    check_client(settings)
    live = partial(_relay, place, settings, wait)
    return await run_role(RELAY, settings, at, live)


async def _relay(
    place: Place, settings: Settings, wait: float, vitals: "Vitals", say: "Say"
) -> None:
    """Relay until cancelled, once others have made what it reads from."""
    from infra.cli.reach import Patience, reach, stay_beside  # noqa: PLC0415
    from infra.kafka.relay_wiring import start_relay, wire_relay  # noqa: PLC0415
    from infra.postgres.view_readers import open_view_readers  # noqa: PLC0415
    from infra.telemetry.telemetry import open_telemetry  # noqa: PLC0415
    from infra.watch import Watch  # noqa: PLC0415

    dsn = await reach(place, settings, Patience(wait, say), reads=False)
    async with AsyncExitStack() as running:
        telemetry = await running.enter_async_context(open_telemetry(settings))
        readers = await running.enter_async_context(open_view_readers(dsn, size=1))
        parts = await wire_relay(dsn, place.data, settings, running)
        watch = Watch()
        watch.add(await start_relay(parts, telemetry.relay(), running))
        if place.uri is None:
            watch.add(stay_beside(place.data, dsn, running))
        vitals.is_ready = lambda: True
        vitals.detail = parts.trouble.detail
        vitals.metrics = telemetry.exposition(readers)
        say(f"Palimpsest relays from {place} to {settings.kafka_topic}")
        await watch.broken()


async def _status(place: Place, settings: Settings, *, as_json: bool) -> None:
    async with beside(place) as dsn:
        await check_migrated(dsn)
        # As who logs in: the role of servers may not see who leads.
        pool = await open_pool(dsn, role=None, name="palimpsest-operator", size=1)
        async with pool:
            now = await relay_standing(pool, settings)
    if as_json:
        typer.echo(msgspec.json.encode(now).decode())
    else:
        _show(now)


async def _fill(place: Place, settings: Settings, *, partitions: int | None) -> None:
    from kafka.errors import KafkaError  # noqa: PLC0415  its packages

    from infra.kafka.filling import fill_next  # noqa: PLC0415
    from infra.kafka.generations import Superseded  # noqa: PLC0415
    from infra.kafka.trouble import told as said_of  # noqa: PLC0415
    from infra.postgres.leadership import LeadershipLost  # noqa: PLC0415
    from infra.telemetry.observers import Unobserved  # noqa: PLC0415

    async with relay_parts(place, settings) as parts:
        try:
            with _bar() as told:
                serving = await fill_next(parts, partitions, Unobserved(), told)
        except KafkaError as error:
            raise Unreachable(_BROKERS.format(said_of(error))) from error
        except (LeadershipLost, Superseded) as error:
            raise Unreachable(_OVERTAKEN) from error
    screen().print(
        f"{serving.topic} serves now, with {serving.partitions} partitions: everything"
        f" up to position {serving.position} is in it"
    )


@contextmanager
def _bar() -> "Iterator[Callable[[Filled], None]]":
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[pace]}"),
        console=Console(stderr=True),
    )
    task = bar.add_task("the next generation", total=None, pace="")

    def told(filled: "Filled") -> None:
        pace = f"{filled.position} of {filled.head}, {filled.rate:,.0f} events/s"
        if filled.remaining is not None:
            pace += f", {filled.remaining:.0f} s to go"
        bar.update(
            task,
            description=filled.topic,
            completed=filled.position,
            total=filled.head,
            pace=pace,
        )

    with bar:
        yield told


def _show(now: RelayStanding) -> None:
    table = Table(
        *("generation", "topic", "partitions", "state", "position", "ends at"),
        title=f"head of the log: {now.head}",
    )
    for each in now.generations:
        table.add_row(
            *(str(each.number), each.topic, str(each.partitions), each.state),
            *(str(each.position), "" if each.ended_at is None else str(each.ended_at)),
        )
    screen().print(table)
    late = f"{now.lag_events} events behind, {now.lag_seconds:g} s"
    if now.leader is None:
        screen().print(f"no relay runs; {late}")
    else:
        since = now.leader.since
        told = "" if since is None else f" since {since.isoformat(timespec='seconds')}"
        screen().print(f"relayed from {now.leader.host}{told}; {late}")
    if now.letters:
        screen().print(f"{now.letters} dead letters wait to be sent")
    if now.letters >= MOST:
        screen().print("so many dead letters wait that further ones are dropped")
    if now.damaged:
        screen().print(
            f"{now.damaged} damaged events could not be opened: they are in the topic"
            " as they are stored, and say so"
        )
    if now.stands_in:
        screen().print(
            f"the topic is gone: a worker on {now.stands_in.host} is fed from the log"
            " until palimpsest relay rebuild-topic made it anew"
        )
