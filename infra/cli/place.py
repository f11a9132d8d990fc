"""Where the data is: the embedded Postgres of a data folder, or one of your own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
import msgspec
import typer
from platformdirs import user_data_path

from infra.postgres.embedded import EmbeddedPostgres, running_cluster
from infra.postgres.presence import Present, who_is_present
from infra.settings import Settings

_WITHIN: Final = 5.0
"""Seconds a Postgres of your own has to answer."""


class NothingHere(Exception):  # noqa: N818  read as a sentence
    """The data folder holds no Palimpsest."""


class Unreachable(Exception):  # noqa: N818  read as a sentence
    """Your own Postgres does not answer."""


class ServerRunning(Exception):  # noqa: N818  read as a sentence
    """A process of Palimpsest uses your own Postgres now."""


class Place(msgspec.Struct, frozen=True):
    """A data folder, and the address of your own Postgres if that is used."""

    data: Path
    uri: str | None

    def __str__(self) -> str:
        return str(self.data) if self.uri is None else "DB_CONNECTION_URI"


def choose_place(data: Path | None, settings: Settings) -> Place:
    """An explicit data folder wins over ``DB_CONNECTION_URI``, and says so."""
    folder = data or user_data_path("palimpsest", appauthor=False)
    folder = folder.expanduser().resolve()
    if settings.db_connection_uri is None:
        return Place(folder, None)
    if data is not None:
        typer.secho(
            "--data is given, so DB_CONNECTION_URI is not used", err=True, fg="yellow"
        )
        return Place(folder, None)
    return Place(folder, settings.db_connection_uri.get_secret_value())


@asynccontextmanager
async def beside(place: Place) -> AsyncIterator[str]:
    """Yield an address for a command beside a server, or where none runs.

    Raises:
        NothingHere: there is no data to look at.
        Unreachable: your own Postgres does not answer.
        EmbeddedPostgresError: the embedded Postgres does not start.
    """
    if place.uri is not None:
        await check_reachable(place.uri, "DB_CONNECTION_URI")
        yield place.uri
        return
    address = running_cluster(place.data)
    if address is not None:
        yield address.dsn()
        return
    async with _started(place) as dsn:
        yield dsn


@asynccontextmanager
async def alone(place: Place) -> AsyncIterator[str]:
    """Yield an address while no server runs.

    Raises:
        NothingHere, Unreachable, EmbeddedPostgresError
        ServerRunning: one does, in whichever role, on your own Postgres.
    """
    if place.uri is None:
        async with _started(place) as dsn:
            yield dsn
        return
    await check_reachable(place.uri, "DB_CONNECTION_URI")
    if there := await processes_of(place.uri):
        names = ", ".join(sorted({each.role for each in there}))
        raise ServerRunning(f"a server uses this Postgres ({names}): stop it first")
    yield place.uri


async def processes_of(dsn: str) -> list[Present]:
    """Return who runs on this database now, by role."""
    connection = await asyncpg.connect(dsn)
    try:
        return await who_is_present(connection)
    finally:
        await connection.close()


@asynccontextmanager
async def _started(place: Place) -> AsyncIterator[str]:
    if not (place.data / "format").exists():
        raise NothingHere(f"there is no Palimpsest in {place.data}")
    server = EmbeddedPostgres(place.data)
    address = await server.start()
    try:
        yield address.dsn()
    finally:
        await server.stop()


async def check_reachable(uri: str, setting: str) -> None:
    """Raise Unreachable unless the Postgres of a setting answers in five seconds."""
    try:
        connection = await asyncpg.connect(uri, timeout=_WITHIN)
    except (ValueError, asyncpg.InterfaceError) as error:
        # The reason would quote the address, and the password in it.
        raise Unreachable(f"{setting} is no address of a Postgres") from error
    except (OSError, asyncpg.PostgresError) as error:
        reason = str(error).splitlines()[:1] or [type(error).__name__]
        raise Unreachable(
            f"the Postgres of {setting} does not answer: {reason[0]}"
        ) from error
    await connection.close()
