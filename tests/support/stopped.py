"""The law on the data folder of a server that was stopped, however it was."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from infra.key_source import master_key_of
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.log import LogSettings, PostgresLog
from infra.projector import Projector
from infra.proof.verification import Asked, verify
from infra.settings import Settings
from projections.registry import LAGGING, PROMPT
from tests.support.law import assert_rebuilt_equals_live

EVERY_SESSION = 1_000_000


def rebuilt_equals_live(data: Path) -> None:
    """Fold what the server left to fold, then compare every view with a rebuild."""
    asyncio.run(_check(data))


async def _check(data: Path) -> None:
    async with AsyncExitStack() as running:
        postgres = EmbeddedPostgres(data)
        dsn = (await postgres.start()).dsn()
        running.push_async_callback(postgres.stop)
        log = await running.enter_async_context(
            PostgresLog.open(
                dsn, master_key_of(data, Settings()), LogSettings(announces=False)
            )
        )
        prompt = Projector(dsn, log.store, log.subscription, PROMPT)
        lagging = Projector(dsn, log.store, log.subscription, LAGGING, follows=prompt)
        for projector in (prompt, lagging):
            await projector.start()
            running.push_async_callback(projector.close)
        await lagging.passed(await log.store.head())
        await assert_rebuilt_equals_live(dsn, log.store)
        await _verify(dsn, log)


async def _verify(dsn: str, log: PostgresLog) -> None:
    """What ``palimpsest verify`` looks at: session by session, and for orphans."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[PostgresLog]:
        yield log

    report = await verify(dsn, opened, Asked(sample=EVERY_SESSION))
    assert report.ok, report
    assert report.views is not None
    assert report.orphans
