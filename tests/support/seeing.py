"""The views of a real log, folded when a test says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from infra.postgres.embedded import ClusterAddress
from infra.postgres.log import PostgresLog
from infra.postgres.view_readers import open_view_readers
from infra.postgres.views import connect_views, make_views
from projections.registry import LAGGING, PROMPT
from tests.support.folding import fold


class Seen:
    """Folded views: their readers, and the position they stand at."""

    def __init__(self, readers: asyncpg.Pool, position: int) -> None:
        self.readers = readers
        self.position = position

    async def wait_for(self, position: int, timeout: float) -> bool:  # noqa: ARG002, ASYNC109  they never move
        return self.position >= position


@asynccontextmanager
async def seen(address: ClusterAddress, log: PostgresLog) -> AsyncIterator[Seen]:
    """Make the views and fold all of the log into them, once."""
    everything = (*PROMPT, *LAGGING)
    await make_views(address.dsn(), everything)
    events = await log.store.read_log(after=0, limit=2_000)
    connection = await connect_views(address.dsn())
    try:
        await fold(connection, everything, events)
    finally:
        await connection.close()
    async with open_view_readers(address.dsn()) as readers:
        yield Seen(readers, events[-1].position)
