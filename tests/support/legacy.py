"""A data folder that holds what no door lets in any more."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.event import Event
from domain.names import Stream
from domain.recorded import Cause
from infra.key_source import master_key_of
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.migrate import migrate
from infra.settings import Settings


def prepare(data: Path, happened: Sequence[tuple[Stream, Event]]) -> None:
    """Write a log as it may have been kept for long; nothing of it is checked."""
    asyncio.run(_prepare(data, happened))


async def _prepare(data: Path, happened: Sequence[tuple[Stream, Event]]) -> None:
    async with AsyncExitStack() as running:
        postgres = EmbeddedPostgres(data)
        dsn = (await postgres.start()).dsn()
        running.push_async_callback(postgres.stop)
        await migrate(dsn)
        log = await running.enter_async_context(
            PostgresLog.open(
                dsn, master_key_of(data, Settings()), LogSettings(announces=False)
            )
        )
        cause = Cause(actor="test", correlation_id=uuid4())
        for stream, event in happened:
            append = StreamAppend(stream, ANY, (event,))
            await log.store.append(AppendRequest(stream.tenant, (append,), cause))
