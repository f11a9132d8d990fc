"""A place opened for a command that changes memory, beside a server or without one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import asyncpg
import msgspec

from commands.decide import Decide, Reason
from commands.ports import Remembered, Views
from commands.reach import Reach
from commands.write import Write
from domain.recorded import Cause
from infra.cli.place import NothingHere, Place, beside, processes_of
from infra.key_source import master_key_of
from infra.limits import limits_of
from infra.log_choice import log_settings
from infra.postgres.log import PostgresLog
from infra.postgres.view_readers import open_view_readers
from infra.projector import Projector
from infra.random_id import random_id
from infra.reach import StoredReach
from infra.roles import PROJECTOR, UP
from infra.settings import Settings
from infra.tokens.counter import O200kCounter
from projections.registry import PROMPT

_POLL: Final = 0.02
_ACTOR: Final = "operator"
_FOLDING: Final = {UP.name, PROJECTOR.name}


class Acting(msgspec.Struct, frozen=True):
    """What a command needs to change memory as a server does, and to show it."""

    write: Write
    reach: Reach
    views: asyncpg.Pool


@asynccontextmanager
async def acting(place: Place, settings: Settings) -> AsyncIterator[Acting]:
    """Open what is there for writing; the views follow, whoever folds them.

    Where nobody does, this process does meanwhile. Decisions are checked against the
    log's versions, as those of any two processes.

    Raises:
        NothingHere, Unreachable, EmbeddedPostgresError, MasterKeyUnusable
    """
    try:
        async with AsyncExitStack() as open_:
            dsn = await open_.enter_async_context(beside(place))
            folded = {each.role for each in await processes_of(dsn)} & _FOLDING
            log = await open_.enter_async_context(
                PostgresLog.open(
                    dsn,
                    master_key_of(place.data, settings),
                    log_settings(settings, announces=False),
                )
            )
            await log.keys.verify()
            readers = await open_.enter_async_context(open_view_readers(dsn, size=2))
            views: Views = _FoldedElsewhere(readers)
            if not folded:
                projector = Projector(dsn, log.store, log.subscription, PROMPT)
                await projector.start()
                open_.push_async_callback(projector.close)
                views = projector
            yield _acting(log, readers, views, settings)
    except asyncpg.UndefinedTableError as error:
        raise NothingHere(f"there is no Palimpsest in {place}") from error


def reason() -> Reason:
    """Return why something is decided that somebody typed."""
    return Reason(Cause(actor=_ACTOR, correlation_id=uuid4()))


class NobodyEmbeds:
    """Makes no vectors: the server makes them later, or when it next starts."""

    async def remember(
        self, _workspace: str, _texts: Sequence[str]
    ) -> Remembered | None:
        """Store nothing."""
        return None

    async def searchable(self, _position: int) -> None:
        """Wait for nothing."""


def _acting(
    log: PostgresLog, readers: asyncpg.Pool, views: Views, settings: Settings
) -> Acting:
    write = Write(
        Decide(log.store),
        store=log.store,
        views=views,
        clock=lambda: datetime.now(UTC),
        new_id=random_id,
        tokens=O200kCounter(),
        limits=limits_of(settings),
    )
    return Acting(write, StoredReach(log, readers, views), readers)


class _FoldedElsewhere:
    """Views another process folds; fulfils ``commands.ports.Views``."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers
        self._names = [each.name for each in PROMPT]

    async def wait_for(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109  the port's own bound
        """Look again and again, within the bound."""
        try:
            async with asyncio.timeout(timeout):
                while await self._readers.fetchval(_FOLDED, self._names) < position:  # noqa: ASYNC110  another process folds
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            return False
        return True


_FOLDED: Final = """
SELECT coalesce(min(position), 0) FROM checkpoint WHERE projection = ANY ($1::text[])
"""
