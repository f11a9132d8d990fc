"""Several projectors: one folds, the next takes over, and nothing is folded twice."""

import asyncio
from contextlib import AsyncExitStack

import asyncpg
import pytest

from infra import folding_turn
from infra.folding import Folding
from infra.postgres import connection
from infra.postgres.views import make_views
from infra.settings import Settings
from infra.telemetry.telemetry import open_telemetry
from infra.traffic import at_once
from projections.registry import LAGGING, PROMPT
from tests.support.law import assert_rebuilt_equals_live
from tests.support.log import said
from tests.support.projecting import append

SETTINGS = Settings(_env_file=None)

_CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name = 'palimpsest-view' AND datname = current_database()
    AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)
"""


@pytest.fixture
async def folding(log, log_dsn):
    assert await make_views(log_dsn, (*PROMPT, *LAGGING)) == []
    async with open_telemetry(SETTINGS) as telemetry:
        yield Folding(log_dsn, log, at_once, telemetry, SETTINGS)


async def leads(group, bound=60.0):
    async with asyncio.timeout(bound):
        while not group.leads:  # noqa: ASYNC110  a bounded wait
            await asyncio.sleep(0.01)


async def test_a_second_projector_watches_and_takes_over(folding, log, log_dsn):
    async with AsyncExitStack() as second_runs:
        async with AsyncExitStack() as first_runs:
            first = await folding.start(first_runs)
            for each in first:
                await leads(each)
            second = await folding.start(second_runs)
            position = await append(log, [said("one")])
            for group in (*first, *second):
                assert await group.wait_for(position, 60)
            assert not any(each.leads for each in second)
        for each in second:
            await leads(each)
        position = await append(log, [said("two", seq=2)])
        for group in second:
            assert await group.wait_for(position, 60)
        assert not any(each.leads for each in first)
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_who_loses_the_connection_waits_for_its_turn_again(folding, log, log_dsn):
    async with AsyncExitStack() as running:
        groups = await folding.start(running)
        for each in groups:
            await leads(each)
        db = await asyncpg.connect(log_dsn)
        assert await db.fetchval(_CUT) == 2
        await db.close()
        position = await append(log, [said("one")])
        for each in groups:
            assert await each.wait_for(position, 60)
            await leads(each)
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_who_is_frozen_is_followed(folding, log, log_dsn, monkeypatch):
    """It keeps its connection: the database ends that, and another folds."""
    monkeypatch.setattr(connection, "DEAD_AFTER", 0.5)
    monkeypatch.setattr(folding_turn, "BEAT", 60.0)
    async with AsyncExitStack() as frozen_runs:
        frozen = await folding.start(frozen_runs)
        for each in frozen:
            await leads(each)
        monkeypatch.setattr(folding_turn, "BEAT", 0.05)
        monkeypatch.setattr(connection, "DEAD_AFTER", 2.0)
        async with AsyncExitStack() as running:
            second = await folding.start(running)
            for each in second:
                await leads(each)
            position = await append(log, [said("one")])
            for each in second:
                assert await each.wait_for(position, 60)
            await asyncio.sleep(4.0)  # twice as long as would be taken for dead
            assert all(each.leads for each in second)
    await assert_rebuilt_equals_live(log_dsn, log.store)
