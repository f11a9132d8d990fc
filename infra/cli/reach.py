"""The database of a process that makes none: waited for until it is ready."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Final, TypeVar

import asyncpg
import msgspec

from infra.cli.place import NothingHere, Place, Unreachable, check_reachable
from infra.key_source import keys_dsn_of, present_master_key
from infra.master_key import MasterKeyMissing
from infra.postgres.embedded import running_cluster
from infra.postgres.migrate import DatabaseNewer, DatabaseOlder, check_migrated
from infra.postgres.views import ViewsNewer, ViewsOlder, check_views
from infra.settings import Settings
from infra.stopping import stop
from projections.registry import LAGGING, PROMPT

T = TypeVar("T")

_AGAIN: Final = 0.5
_LOOK: Final = 2.0


class Patience(msgspec.Struct, frozen=True):
    """How many seconds a start waits for what others make ready, and who is told."""

    seconds: float
    say: Callable[[str], None]


AT_ONCE: Final = Patience(0, lambda _: None)


class PostgresMoved(Exception):  # noqa: N818  says what happened
    """The embedded Postgres was started anew, and is somewhere else now."""


NOT_YET: Final = (
    DatabaseOlder,
    MasterKeyMissing,
    NothingHere,
    Unreachable,
    ViewsOlder,
)
"""What may be mended by another process that starts."""

NEVER: Final = (DatabaseNewer, ViewsNewer)
"""What only other code than this one's can serve."""


async def reach(
    place: Place, settings: Settings, patience: Patience, *, reads: bool = True
) -> str:
    """Return the address of a database that is ready for this code; change nothing.

    Processes of a deployment may be started in any order: what another has yet to do
    is waited for, and said once. Who neither ``reads`` views nor opens the log wants
    the tables only.

    Raises:
        NOT_YET: it was not done in time.
        DatabaseNewer, ViewsNewer, MasterKeyUnusable: waiting would not help.
    """
    return await _again(partial(_ready, place, settings, reads=reads), patience)


async def reach_empty(place: Place, settings: Settings, patience: Patience) -> None:
    """Wait until databases of your own answer, whatever is in them.

    Raises:
        Unreachable: one does not in time.
    """
    await _again(partial(_answers, place, settings), patience)


async def _again(look: Callable[[], Awaitable[T]], patience: Patience) -> T:
    until, told = monotonic() + patience.seconds, ""
    while True:
        try:
            return await look()
        except NOT_YET as error:
            if monotonic() >= until:
                raise
            if told != str(error):
                told = str(error)
                patience.say(f"palimpsest: waiting: {told}")
        await asyncio.sleep(_AGAIN)


async def _answers(place: Place, settings: Settings) -> None:
    if place.uri is not None:
        await check_reachable(place.uri, "DB_CONNECTION_URI")
    if (keys := keys_dsn_of(settings)) is not None:
        await check_reachable(keys, "KEYS_CONNECTION_URI")


async def _ready(place: Place, settings: Settings, *, reads: bool) -> str:
    await _answers(place, settings)
    if place.uri is not None:
        dsn = place.uri
    elif (address := running_cluster(place.data)) is not None:
        dsn = address.dsn()
        await check_reachable(dsn, f"{place.data}")
    else:
        raise NothingHere(
            f"no Postgres runs in {place}: palimpsest up starts one; or set"
            " DB_CONNECTION_URI"
        )
    try:
        await check_migrated(dsn, keys_dsn=keys_dsn_of(settings) or dsn)
    except asyncpg.UndefinedTableError:
        raise DatabaseOlder(
            f"there is no Palimpsest in {place} yet: palimpsest migrate, or up, does it"
        ) from None
    if reads:
        await check_views(dsn, (*PROMPT, *LAGGING))
        present_master_key(place.data, settings)
    return dsn


def stay_beside(data: Path, dsn: str, stack: AsyncExitStack) -> asyncio.Task[None]:
    """Watch the embedded Postgres another process runs; its address may change."""

    async def look() -> None:
        while True:
            await asyncio.sleep(_LOOK)
            address = running_cluster(data)
            if address is not None and address.dsn() != dsn:
                raise PostgresMoved

    task = asyncio.create_task(look(), name=f"the Postgres of {data}")

    stack.push_async_callback(stop, task)
    return task
