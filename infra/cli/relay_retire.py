"""``palimpsest relay retire``: topics of generations that are over, deleted."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer
from rich.table import Table

from infra.cli.one_line import run_at
from infra.cli.options import Data, Json
from infra.cli.place import Place, Unreachable, beside
from infra.cli.screen import screen
from infra.kafka.client import check_client
from infra.postgres.connection import open_pool
from infra.postgres.migrate import check_migrated
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.kafka.retiring import Ended, Reader, Retiring

_REFUSED: Final = (
    "still read, and kept: {}. Who reads goes on in the generation that serves by"
    " itself, a stranger when it is told to; then run this again"
)

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")]


def relay_retire(
    yes: Yes = False,  # noqa: FBT002  a switch of the command line
    data: Data = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Delete topics of ended generations that nobody has to read any more.

    Lists them first, with who still reads which, and asks; 1 if any is still read.
    With --json they are only listed, unless --yes is there, too.
    """
    run_at(data, partial(_retire, yes=yes, as_json=as_json))


async def _retire(place: Place, settings: Settings, *, yes: bool, as_json: bool) -> int:
    from kafka.errors import KafkaError  # noqa: PLC0415  its packages

    from infra.kafka.retiring import Retiring  # noqa: PLC0415
    from infra.kafka.trouble import told as said_of  # noqa: PLC0415

    check_client(settings)
    async with beside(place) as dsn:
        await check_migrated(dsn)
        pool = await open_pool(dsn, role=None, name="palimpsest-operator", size=1)
        async with pool:
            try:
                return await _shown(Retiring(pool, settings), yes=yes, as_json=as_json)
            except KafkaError as error:
                raise Unreachable(
                    "the brokers of KAFKA_BOOTSTRAP_SERVERS do not do what is asked"
                    f" ({said_of(error)}): run it again"
                ) from error


async def _shown(retiring: "Retiring", *, yes: bool, as_json: bool) -> int:
    found = await retiring.ended()
    over = [each for each in found if not each.readers]
    if not as_json:
        screen().print(_table(found) if found else "no generation waits to be deleted")
    if over and (yes or (not as_json and _agreed(over))):
        found = await _retired(retiring, found)
    if as_json:
        typer.echo(msgspec.json.encode({"generations": found}).decode())
    kept = [each.topic for each in found if each.readers]
    if kept and not as_json:
        typer.echo(_REFUSED.format(", ".join(kept)), err=True)
    return 1 if kept else 0


def _agreed(over: "Sequence[Ended]") -> bool:
    topics = ", ".join(each.topic for each in over)
    return typer.confirm(f"Delete {topics} from the brokers?", err=True)


async def _retired(retiring: "Retiring", found: "Sequence[Ended]") -> "list[Ended]":
    """Delete those that were free to be, one after the other, and say so."""
    done = []
    for number, each in enumerate(found, start=1):
        after = each if each.readers else await retiring.retire(each.number)
        if after.retired:
            told = f"deleted {after.topic} ({number} of {len(found)})"
            typer.echo(told, err=True)
        done.append(after)
    return done


def _table(found: "Sequence[Ended]") -> Table:
    table = Table("generation", "topic", "ended at", "still read by")
    for each in found:
        readers = "\n".join(map(_named, each.readers)) or "nobody"
        table.add_row(str(each.number), each.topic, str(each.ended_at), readers)
    return table


def _named(reader: "Reader") -> str:
    at = "" if reader.position is None else f", at {reader.position}"
    return f"{reader.name} ({reader.kind}{at})"
