"""One leads at a time; who is killed is followed, who loses the database is told."""

import asyncio

import asyncpg
import pytest

from infra.postgres import connection, leadership
from infra.postgres.leadership import LeadershipLost, lead, leader_of

_END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'palimpsest-leader'
"""


async def test_a_second_waits_until_the_first_is_done(database):
    second_leads = asyncio.Event()

    async def second():
        async with lead(database.dsn(), "a relay"):
            second_leads.set()

    async with lead(database.dsn(), "a relay"):
        waiting = asyncio.create_task(second())
        async with lead(database.dsn(), "another relay"):
            assert not second_leads.is_set()
    async with asyncio.timeout(60):
        await waiting


async def test_a_leader_that_loses_its_connection_is_told(database):
    async with lead(database.dsn(), "a relay") as leadership:
        connection = await asyncpg.connect(database.dsn())
        await connection.execute(_END)
        await connection.close()
        async with asyncio.timeout(60):
            await leadership.lost.wait()
        async with asyncio.timeout(60), lead(database.dsn(), "a relay"):
            pass


async def test_a_leader_that_shows_no_life_is_followed(database, monkeypatch):
    """Frozen, it keeps its connection: the database ends that."""
    monkeypatch.setattr(leadership, "BEAT", 60.0)
    monkeypatch.setattr(connection, "DEAD_AFTER", 2.0)
    async with (
        asyncio.timeout(60),
        lead(database.dsn(), "a relay") as frozen,
        lead(database.dsn(), "a relay"),
    ):
        await frozen.lost.wait()


async def test_a_leader_that_lives_is_not(database, monkeypatch):
    """Nor one whose database takes longer for an answer than there is between two."""
    monkeypatch.setattr(leadership, "BEAT", 0.001)
    monkeypatch.setattr(connection, "DEAD_AFTER", 3.0)
    async with lead(database.dsn(), "a relay") as living:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(6), lead(database.dsn(), "a relay"):
                pass
        assert not living.lost.is_set()


async def test_what_is_under_way_is_broken_off_with_the_right(database):
    begun, broken_off = asyncio.Event(), asyncio.Event()

    async def work():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            broken_off.set()

    async with lead(database.dsn(), "a relay") as right:
        working = asyncio.create_task(right.during(work()))
        await begun.wait()
        right.lost.set()
        with pytest.raises(LeadershipLost):
            await working
    assert broken_off.is_set()


async def test_who_leads_is_told(database):
    async with asyncpg.create_pool(database.dsn(), min_size=1, max_size=1) as pool:
        async with lead(database.dsn(), "a relay"):
            assert (await leader_of(pool, "a relay")).host == "this machine"
            assert await leader_of(pool, "another relay") is None
        async with asyncio.timeout(60):
            while await leader_of(pool, "a relay") is not None:
                pass
