"""Processes on one database wake dreams; each is had by one of them (RS 13.1 W4)."""

import asyncio

import asyncpg
import pytest

from domain.dream import DreamCompleted, DreamStarted
from infra.codec.errors import Unreadable
from infra.dream_alarm import DreamAlarm
from infra.dream_lease import lease
from tests.support.dreaming import dreaming


@pytest.fixture
async def dreams(log, log_dsn):
    async with dreaming(log, log_dsn) as made:
        await made.memory.begin()
        made.dsn = log_dsn
        yield made


class Slow:
    """Work that takes until it is let go on."""

    def __init__(self, work):
        self._work = work
        self.engine = work.engine
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.stopped = 0

    async def __call__(self, task):
        self.begun.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        return await self._work(task)


def alarm(dreams, dream=None):
    return DreamAlarm(
        dream or dreams.dream,
        dreams.memory.log.store,
        dreams.memory.readers,
        dreams.clock,
        dreams.dsn,
        poll=0.02,
    )


async def until(what):
    async with asyncio.timeout(60):
        while not await what():  # noqa: ASYNC110  the log is looked at
            await asyncio.sleep(0.01)


async def test_of_two_processes_one_has_a_dream(dreams):
    slow = dreams.dream._work = Slow(dreams.work)
    await dreams.ask()
    running = [asyncio.create_task(alarm(dreams).run()) for _ in range(2)]
    await slow.begun.wait()
    async with lease(dreams.dsn, "w", "another") as free:
        assert free
    slow.go_on.set()
    await until(lambda: dreams.events(DreamCompleted))
    for each in running:
        each.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert len(await dreams.events(DreamStarted)) == 1
    assert len(dreams.deduction.prompts) == len(dreams.induction.prompts) == 1


async def test_a_process_that_loses_its_lock_stops_working(dreams):
    slow = dreams.dream._work = Slow(dreams.work)
    await dreams.ask()
    running = asyncio.create_task(alarm(dreams).run())
    await slow.begun.wait()
    slow.begun.clear()
    connection = await asyncpg.connect(dreams.dsn)
    try:
        assert await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'palimpsest-dream'"
            " AND datname = current_database()"
        )
    finally:
        await connection.close()

    async def stopped():
        return slow.stopped

    await until(stopped)
    slow.go_on.set()
    await until(lambda: dreams.events(DreamCompleted))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(await dreams.events(DreamStarted)) == 1, "it is gone on with"


class Unread:
    """A log in which nothing can be read."""

    async def read_log(self, **_asked):
        raise Unreadable("A seal does not open in its place")


async def test_one_that_cannot_be_read_is_looked_at_again_in_a_while(dreams):
    waking = alarm(dreams)
    scheduled = await dreams.ask()
    waking._log = Unread()
    running = asyncio.create_task(waking.run())
    async with asyncio.timeout(20):
        while not waking._later:  # noqa: ASYNC110  nobody is told
            await asyncio.sleep(0.01)
    assert list(waking._later) == [scheduled.event.id]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
