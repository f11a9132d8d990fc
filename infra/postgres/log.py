"""The log, opened: what the rest of the process gets of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import asyncpg
import msgspec

from domain.events import EVENT_BY_TAG
from domain.recorded import Recorded
from infra.master_key import MasterKey
from infra.postgres.announcer import Announcer
from infra.postgres.appender import Appender
from infra.postgres.commit import Committed, Follows
from infra.postgres.connection import close_pool, open_pool
from infra.postgres.data_keys import DataKeys
from infra.postgres.embeddings import EmbeddingStore
from infra.postgres.event_store import PostgresEventStore
from infra.postgres.fingerprint import KeyedFingerprint
from infra.postgres.line import Line
from infra.postgres.link import Link
from infra.postgres.llm_calls import CallJournal
from infra.postgres.log_by_shards import LogByShards
from infra.postgres.log_follower import LogFollower
from infra.postgres.mapper import StructMapper
from infra.postgres.reader import Reader
from infra.postgres.remains import Remains
from infra.postgres.role import usable_role
from infra.postgres.signed_checkpoints import SignedCheckpoints
from infra.postgres.slices import Slices
from infra.postgres.stored_row import StoredRow
from infra.postgres.stored_rows import StoredRows
from infra.postgres.subscription import PAGE, POLL, Subscription
from infra.postgres.tail import Tail
from infra.upcasters import UPCASTERS

COMMAND_DAYS: Final = 7

_SWEEP = """
DELETE FROM log.command WHERE NOT forever AND at < now() - make_interval(days => $1)
"""


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What may be chosen about a log.

    ``keys_dsn``: the key table's own database. ``readers`` and ``key_readers``: most
    connections for reading events and keys. ``announces``: whether other processes
    share the log, so that it tells them and listens; ``process`` is what it is called
    among them (``infra/roles.py``). ``line_requests`` and
    ``line_bytes``: how much may be under way before callers are sent away.
    """

    keys_dsn: str | None = None
    readers: int = 4
    key_readers: int = 2
    announces: bool = True
    process: str = "up"
    line_requests: int = 8_192
    line_bytes: int = 64 * 2**20


class PostgresLog:
    """The log's parts, alive between entering and leaving ``open``."""

    def __init__(
        self, pool: asyncpg.Pool, keys: DataKeys, reader: Reader, tail: Tail
    ) -> None:
        self._pool = pool
        self._reader = reader
        self._tail = tail
        self.keys = keys
        self.embeddings = EmbeddingStore(pool)
        self.calls = CallJournal(pool)
        self.slices = Slices(pool, reader)
        self.remains = Remains(pool)
        self.checkpoints = SignedCheckpoints(pool)
        self.fingerprint = KeyedFingerprint(keys)
        self.store: PostgresEventStore
        self.tell: Callable[[Committed], None]
        self.follow_appends: Callable[[Follows], None]
        self.appending: asyncio.Task[None]

    @staticmethod
    @asynccontextmanager
    async def open(
        dsn: str, master_key: MasterKey, settings: LogSettings | None = None
    ) -> "AsyncIterator[PostgresLog]":
        """Open the log of a migrated database; leaving it finishes every append.

        Raises:
            OSError, asyncpg.PostgresError: the database cannot be reached or is not
                migrated.
        """
        chosen = settings or LogSettings()
        async with AsyncExitStack() as stack:
            yield await _assemble(dsn, master_key, chosen, stack)

    @property
    def head(self) -> int:
        """The highest position this process knows of."""
        return self._tail.head

    @property
    def pools(self) -> dict[str, asyncpg.Pool]:
        """Connections for reading, by what they read."""
        return {"log": self._pool, "keys": self.keys.pool}

    def subscription(
        self, after: int, *, page: int = PAGE, poll: float = POLL
    ) -> Subscription:
        """Read what follows a position, for ever, in batches of at most ``page``."""
        return Subscription(self._reader, self._tail, after, page=page, poll=poll)

    def by_shards(self) -> LogByShards:
        """Read parts of the log by shard, and open rows that came another way."""
        return LogByShards(self._pool, self._reader, self._tail)

    def follow(self) -> LogFollower:
        """Read the log page by page at the caller's own pace; close it when done."""
        return LogFollower(self._reader, self._tail)

    def rows(self) -> StoredRows:
        """Read the log as it is stored; close it when done."""
        return StoredRows(self._pool, self._tail)

    async def open_rows(self, rows: Sequence[StoredRow]) -> list[Recorded]:
        """Open rows of the log up to the first that is damaged.

        Raises:
            Unreadable: the very first is damaged.
        """
        return await self._reader.opener.first_of(rows)

    async def open_copies(self, rows: Sequence[StoredRow]) -> list[Recorded]:
        """Do the same for copies of rows: what is damaged may be whole in the log."""
        return await self._reader.opener.first_stored(rows)

    async def sweep_commands(self, days: int = COMMAND_DAYS) -> int:
        """Forget commands older than ``days``, except processors'; return how many."""
        status = await self._pool.execute(_SWEEP, days)
        return int(status.rpartition(" ")[2])

    async def sweep_calls(self, days: int) -> int:
        """Forget what models were asked and answered before that; return how many."""
        return await self.calls.sweep(days)


async def _assemble(
    dsn: str, master_key: MasterKey, settings: LogSettings, stack: AsyncExitStack
) -> PostgresLog:
    role = await usable_role(dsn, "log")
    pool = await _pool(stack, dsn, role, "palimpsest-log", settings.readers)
    keys_dsn = settings.keys_dsn or dsn
    keys_role = await usable_role(keys_dsn, "secret")
    keys = DataKeys(
        await _pool(
            stack, keys_dsn, keys_role, "palimpsest-keys", settings.key_readers
        ),
        master_key,
    )
    mapper = StructMapper(EVENT_BY_TAG, UPCASTERS)
    reader, tail = Reader(pool, mapper, keys), Tail()
    tail.advance(await reader.head())
    log = PostgresLog(pool, keys, reader, tail)
    if settings.announces:
        announcer = Announcer(dsn, role, tail, settings.process)
        announcer.start()
        stack.push_async_callback(announcer.close)
    appender = Appender(
        link=Link(dsn, role),
        mapper=mapper,
        keys=keys,
        reader=reader,
        line=Line(settings.line_requests, settings.line_bytes),
        tail=tail,
    )
    log.appending = appender.start()
    stack.push_async_callback(appender.close)
    log.store = PostgresEventStore(appender, reader, tail)
    log.tell, log.follow_appends = appender.tell, appender.follow
    return log


async def _pool(
    stack: AsyncExitStack, dsn: str, role: str | None, name: str, size: int
) -> asyncpg.Pool:
    pool = await open_pool(dsn, role=role, name=name, size=size)
    stack.push_async_callback(close_pool, pool)
    return pool
