"""Where the data is: the embedded Postgres of a data folder, or one of your own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec
from platformdirs import user_data_path
from rich.console import Console

from infra.postgres.embedded import EmbeddedPostgres, running_cluster
from infra.settings import Settings


class NothingHere(Exception):  # noqa: N818  read as a sentence
    """The data folder holds no Palimpsest."""


class Unreachable(Exception):  # noqa: N818  read as a sentence
    """Your own Postgres does not answer."""


class Place(msgspec.Struct, frozen=True):
    """A data folder, and the address of your own Postgres if that is used."""

    data: Path
    uri: str | None

    def __str__(self) -> str:
        return str(self.data) if self.uri is None else "DB_CONNECTION_URI"


def choose_place(data: Path | None, settings: Settings) -> Place:
    """An explicit data folder wins over ``DB_CONNECTION_URI``, and says so."""
    folder = data or user_data_path("palimpsest", appauthor=False)
    if settings.db_connection_uri is None:
        return Place(folder.resolve(), None)
    if data is not None:
        Console(stderr=True).print(
            "--data is given, so DB_CONNECTION_URI is not used", style="yellow"
        )
        return Place(folder.resolve(), None)
    uri = settings.db_connection_uri.get_secret_value()
    return Place(folder.resolve(), plain_uri(uri))


def plain_uri(uri: str) -> str:
    """Drop a driver's name from the scheme: ``postgresql+psycopg`` and its like."""
    scheme, separator, rest = uri.partition("://")
    return scheme.partition("+")[0] + separator + rest


@asynccontextmanager
async def beside(place: Place) -> AsyncIterator[str]:
    """Yield an address for a command beside a server, or where none runs.

    Raises:
        NothingHere: there is no data to look at.
        EmbeddedPostgresError: the embedded Postgres does not start.
    """
    if place.uri is not None:
        yield place.uri
        return
    address = running_cluster(place.data)
    if address is not None:
        yield address.dsn()
        return
    async with alone(place) as dsn:
        yield dsn


@asynccontextmanager
async def alone(place: Place) -> AsyncIterator[str]:
    """Yield an address while no server runs on the data folder."""
    if place.uri is not None:
        yield place.uri
        return
    if not (place.data / "format").exists():
        raise NothingHere(f"there is no Palimpsest in {place.data}")
    server = EmbeddedPostgres(place.data)
    address = await server.start()
    try:
        yield address.dsn()
    finally:
        await server.stop()


async def check_reachable(uri: str) -> None:
    """Raise Unreachable unless this Postgres answers within five seconds."""
    try:
        connection = await asyncpg.connect(uri, timeout=5)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        reason = str(error).splitlines()[:1] or [type(error).__name__]
        raise Unreachable(
            f"the Postgres of DB_CONNECTION_URI does not answer: {reason[0]}"
        ) from error
    await connection.close()
