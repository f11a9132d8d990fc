"""Recorded vectors outlast a database that is away for a moment."""

import asyncio

from infra.postgres.connection import open_pool
from infra.postgres.embeddings import EmbeddingStore
from infra.postgres.migrate import migrate
from tests.support.cut import wired


async def test_what_is_away_for_a_moment_is_waited_for(database, tmp_path):
    await migrate(database.dsn())
    async with wired(database.dsn(), tmp_path) as (wire, dsn):
        pool = await open_pool(dsn, role=None, name="test", size=1)
        store = EmbeddingStore(pool)
        await store.put_many("t", "m", {"one": b"1"})
        wire.refuses = True
        wire.drop()
        putting = asyncio.create_task(store.put_many("t", "m", {"two": b"2"}))
        getting = asyncio.create_task(store.get_many("t", "m", ["one"]))
        async with asyncio.timeout(60):
            while wire.refused < 4:  # noqa: ASYNC110  what is waited for is a count
                await asyncio.sleep(0.01)
        wire.refuses = False
        assert await getting == {"one": b"1"}
        await putting
        assert await store.get_many("t", "m", ["two"]) == {"two": b"2"}
        pool.terminate()
