"""A crash of the database may take back the last that was put on record, holds and all.

They are not waited for to be on disk: events come again, and none may be left out.
"""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from infra.delivery import FeedLimits
from processors.processor import Done, Retry
from tests.support.feeding import Scripted
from tests.support.kafka_feeding import either_feeding as feeding
from tests.support.reactions import memory, opened

__all__ = ["feeding", "memory", "opened"]

PATIENT = FeedLimits(idle=0.05)
LONG = timedelta(hours=1)
TABLES = ("work.checkpoint", "work.shard_range", "work.held")


@asynccontextmanager
async def taken_back(pool):
    """Let nothing of what is put on record meanwhile have reached the disk."""
    before = {each: await pool.fetch(f"SELECT * FROM {each}") for each in TABLES}  # noqa: S608
    yield
    async with pool.acquire() as db, db.transaction():
        for table, rows in before.items():
            await db.execute(f"DELETE FROM {table}")  # noqa: S608
            for row in rows:
                places = ", ".join(f"${n}" for n, _ in enumerate(row, start=1))
                await db.execute(f"INSERT INTO {table} VALUES ({places})", *row)  # noqa: S608


@pytest.mark.parametrize("more", [True, False])
async def test_what_was_to_be_tried_again_is(memory, feeding, more):
    scripted = Scripted()
    feed = await feeding.feed(scripted, PATIENT)
    await memory.say("a")
    await feeding.until_idle(feed)
    async with taken_back(feeding.pool):
        scripted.answer = lambda _: Retry(LONG, "not now")
        await memory.say("b")
        await feeding.until_idle(feed)
        assert len(await feeding.parking.list()) == 1
    scripted.answer = lambda _: Done()
    if more:
        await memory.say("c")
    for _ in range(2):
        await feeding.until_idle(feed)
    assert scripted.texts("w/s") == (["a", "b", "b", "c"] if more else ["a", "b", "b"])
