"""What is written while a long read keeps a rebuild waiting is not left to its end."""

import asyncio

from infra.postgres.view_readers import open_view_readers
from infra.postgres.views import connect_views
from infra.rebuild.rebuild import rebuild
from projections.registry import LAGGING, PROMPT
from tests.support.law import assert_rebuilt_equals_live
from tests.support.log import said
from tests.support.projecting import append, projecting

ALL = (*PROMPT, *LAGGING)
STANDS = "SELECT position FROM view_rebuild.checkpoint WHERE projection = 'messages'"
TRIES = "SELECT to_regnamespace('view_former') IS NOT NULL"

PATIENCE = 60.0
"""Seconds a busy machine may take; what is waited for are states, never times."""


async def until(db, question, wanted):
    async with asyncio.timeout(PATIENCE):
        while await db.fetchval(question) != wanted:  # noqa: ASYNC110  bounded
            await asyncio.sleep(0.02)


async def test_it_follows_while_it_waits(log, log_dsn):
    db = await connect_views(log_dsn)
    async with projecting(log, log_dsn) as (prompt, lagging):
        assert await prompt.wait_for(await append(log, [said("tea")]), PATIENCE)
        async with open_view_readers(log_dsn) as pool:
            async with pool.acquire() as long, long.transaction():
                await long.fetch("SELECT id FROM message")
                running = asyncio.ensure_future(rebuild(log_dsn, log, ALL))
                await until(db, TRIES, True)
                position = await append(log, [said("milk", seq=2)])
                assert await prompt.wait_for(position, PATIENCE)
                await until(db, STANDS, position)
                assert not running.done()
            assert (await running).attempts > 1
        assert await lagging.wait_for(position, PATIENCE)
        await assert_rebuilt_equals_live(log_dsn, log.store)
    await db.close()
