"""A change of vectors holds nobody up for views that do not come nearer."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

from infra.feed_ledger import FeedLedger
from infra.settings import Settings
from infra.tokens.counter import O200kCounter
from infra.vectors.change import ChangeParts, VectorChange
from infra.vectors.following import Following
from infra.vectors.opening import open_vectors
from infra.vectors.reading import Reading
from infra.vectors.wanting import reader_name

HEAD = 100
THERE = {"base_url": "http://127.0.0.1:9/v1", "api_key": "k"}


class Log:
    async def head(self):
        return HEAD


class Views:
    """Views as far as they are told to be; who waits for them is counted."""

    def __init__(self):
        self.position = 0
        self.asked = asyncio.Semaphore(0)
        self.awaited = 0

    async def wait_for(self, position, timeout):  # noqa: ASYNC109  a port
        self.asked.release()
        self.awaited += timeout > 0
        return self.position >= position


async def reads_nothing(_source):
    return asyncio.create_task(asyncio.Event().wait())


def provider(model):
    config = {"overrides": THERE, "model": model}
    return Settings(embedding_model_config=config, _env_file=None)


async def test_views_that_stand_still_are_not_waited_for(pool, log_dsn):
    views = Views()
    parts = ChangeParts(log_dsn, pool, Log(), views, timedelta(days=7))
    async with AsyncExitStack() as running, asyncio.timeout(60):
        for model in ("m", "n"):
            opened = await open_vectors(
                log_dsn, provider(model), O200kCounter(), running, lambda source: source
            )
        await FeedLedger(pool, reader_name("n")).begin()
        reading = Reading(pool, ())
        following = Following(opened, reading, Log(), reads_nothing)
        tasks = [await following.start(reads=True)]
        change = VectorChange(following, reading, parts)
        tasks.append(asyncio.create_task(change.run()))
        for _ in range(3):
            await views.asked.acquire()
        assert views.awaited == 0
        assert opened.serving.source.model == "m"
        views.position = HEAD
        while opened.serving.source.model != "n":  # noqa: ASYNC110  bounded above
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
