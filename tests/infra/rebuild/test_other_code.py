"""A server of former code folds no more into what other code has folded anew."""

import asyncio

from infra.postgres.views import connect_views
from tests.support.log import said
from tests.support.projecting import append, projecting

HELD = "SELECT count(*) FROM message"


async def test_the_server_of_former_code_stops_folding(log, log_dsn):
    db = await connect_views(log_dsn)
    async with projecting(log, log_dsn, lawful=False) as (prompt, _):
        assert await prompt.wait_for(await append(log, [said("tea")]), 60)
        await db.execute("UPDATE checkpoint SET code = 'of a later version'")
        assert not await prompt.wait_for(await append(log, [said("milk", seq=2)]), 2.0)
        async with asyncio.timeout(60):
            while prompt.failed is None:  # noqa: ASYNC110  a bounded wait for a state
                await asyncio.sleep(0.02)
        assert prompt.failed.error == "ViewsReplaced"
        assert await db.fetchval(HELD) == 1
    await db.close()
