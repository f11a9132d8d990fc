"""Of several processes one does a work, and another goes on where that one ends."""

import asyncio
from contextlib import AsyncExitStack

import asyncpg
import pytest

from infra import turns
from infra.postgres import connection
from infra.turns import Turns

_CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'palimpsest-turns'
"""


class Work:
    """Says when it is begun and when it ends."""

    def __init__(self):
        self.under_way = 0
        self.most = 0
        self.begun = asyncio.Semaphore(0)

    async def __call__(self):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.begun.release()
        try:
            await asyncio.Event().wait()
        finally:
            self.under_way -= 1


@pytest.fixture
async def two(log_dsn):
    """The turns of two processes, and what ends each."""
    stacks = [AsyncExitStack(), AsyncExitStack()]
    yield [(Turns.open(log_dsn, each), each) for each in stacks]
    for each in stacks:
        await each.aclose()


async def within(awaitable, seconds=60):
    async with asyncio.timeout(seconds):
        return await awaitable


async def ended(*tasks):
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_one_works_and_the_other_goes_on_when_that_one_is_gone(two):
    (one, its_end), (other, _) = two
    work = Work()
    first = asyncio.create_task(one.whenever("x", work))
    await within(work.begun.acquire())
    second = asyncio.create_task(other.whenever("x", work))
    elsewhere = asyncio.create_task(other.whenever("y", work))
    await within(work.begun.acquire())  # another work is anybody's
    await ended(elsewhere)
    first.cancel()
    await its_end.aclose()
    await within(work.begun.acquire())
    await ended(first, second)
    assert work.under_way == 0


async def test_a_turn_given_back_is_had_by_another_though_the_process_goes_on(two):
    (one, _), (other, _) = two
    work = Work()
    first = asyncio.create_task(one.whenever("x", work))
    await within(work.begun.acquire())
    second = asyncio.create_task(other.whenever("x", work))
    await ended(first)
    await within(work.begun.acquire())
    assert work.most == 1
    await ended(second)


async def test_who_loses_the_connection_breaks_off_and_waits_again(two, log_dsn):
    (one, _), _ = two
    work = Work()
    task = asyncio.create_task(one.whenever("x", work))
    await within(work.begun.acquire())
    db = await asyncpg.connect(log_dsn)
    try:
        assert await db.fetchval(_CUT) == 1
    finally:
        await db.close()
    await within(work.begun.acquire())
    assert work.most == 1
    await ended(task)


async def test_what_fails_fails_for_who_waits_for_it(two):
    (one, _), _ = two

    async def broken():
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await within(one.whenever("x", broken))


async def test_the_turn_of_who_is_frozen_is_had_by_another(two, monkeypatch):
    """It keeps its connection: the database ends that; who lives keeps its turn."""
    monkeypatch.setattr(connection, "DEAD_AFTER", 0.5)
    monkeypatch.setattr(turns, "BEAT", 60.0)
    (one, _), (other, _) = two
    begun, thawed, work = asyncio.Event(), asyncio.Event(), Work()

    async def frozen_work():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await thawed.wait()

    frozen = asyncio.create_task(one.whenever("x", frozen_work))
    await within(begun.wait())
    monkeypatch.setattr(turns, "BEAT", 0.05)
    monkeypatch.setattr(connection, "DEAD_AFTER", 2.0)
    living = asyncio.create_task(other.whenever("x", work))
    await within(work.begun.acquire())
    await asyncio.sleep(4.0)  # twice as long as would be taken for dead
    assert (work.under_way, work.begun.locked()) == (1, True)
    thawed.set()
    await ended(frozen, living)


async def test_a_turn_that_comes_to_who_is_stopped_meanwhile_is_left_to_others(two):
    """Who waits is stopped while it is asked for; its process goes on."""
    (one, _), (other, _) = two
    work = Work()
    begun = asyncio.create_task(one.whenever("y", work))
    await within(work.begun.acquire())  # its connection is there
    for _ in range(5):
        stopped = asyncio.create_task(one.whenever("x", work))
        await asyncio.sleep(0)
        await ended(stopped)
    second = asyncio.create_task(other.whenever("x", work))
    await within(work.begun.acquire())
    await ended(begun, second)


async def test_nothing_is_connected_to_once_it_is_over(two, log_dsn):
    (one, its_end), _ = two
    stopped = asyncio.create_task(one.whenever("x", Work()))
    await asyncio.sleep(0)
    await ended(stopped)
    await its_end.aclose()
    await asyncio.gather(*one._returned)
    db = await asyncpg.connect(log_dsn)
    try:
        assert await db.fetchval(_CUT) == 0
    finally:
        await db.close()
