"""The relay is killed and frozen: each event is there once, in order, unchanged."""

import asyncio
import os
import random
import signal
import time

import asyncpg
import pytest

from infra.kafka.generations import Generations
from tests.support.kafka import environment_apart, named_apart
from tests.support.log import request
from tests.support.relay_process import RelayProcess
from tests.support.relaying import assert_copied, relaying

pytestmark = pytest.mark.kafka

WITHIN = 90.0

_CUT_LEADER = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'palimpsest-leader'
"""


@pytest.fixture
def apart(kafka):
    return environment_apart(kafka)


@pytest.fixture
def settings(apart, kafka):
    return named_apart(kafka, **apart)


@pytest.fixture
def process(log_dsn, apart, tmp_path):
    relay = RelayProcess(log_dsn, apart, tmp_path)
    yield relay
    if relay.process is not None and relay.process.poll() is None:
        relay.kill()


@pytest.fixture
async def generations(log_dsn, settings):
    async with asyncpg.create_pool(log_dsn, min_size=1, max_size=1) as pool:
        yield Generations(pool, settings)


async def grow(log, pages, size=500):
    """Append so many events in each of twenty sessions, page after page."""
    for _ in range(pages):
        last = (
            await log.store.append(request(*(f"s{n}" for n in range(20)), size=size))
        ).last
    return last


async def until(generations, position):
    async with asyncio.timeout(WITHIN):
        while True:
            found = await generations.serving()
            if found is not None and found.position >= position:
                return found
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("kills", "seed"),
    [(3, 6), pytest.param(16, 7, marks=pytest.mark.long)],
    ids=["3 kills", "16 kills"],
)
async def test_a_relay_that_is_killed_loses_nothing_and_says_nothing_twice(
    log_dsn, log, settings, process, generations, kills, seed
):
    chance = random.Random(seed)
    growing = asyncio.create_task(grow(log, 30 * kills, size=10))
    reached = 0
    for _ in range(kills):
        process.start()
        await grow(log, 1, size=10)  # else all may be there before the last kill
        await until(generations, reached + 1)
        await asyncio.sleep(chance.uniform(0, 0.3))
        process.kill()
        reached = (await generations.serving()).position
    await growing
    last = await grow(log, 1, size=10)
    process.start()
    found = await until(generations, last)
    assert process.stop() == 0, process.log()
    assert reached > 0
    await assert_copied(log_dsn, settings, found)


async def test_a_frozen_relay_that_thaws_after_another_took_over_writes_no_more(
    log_dsn, log, settings, process, generations
):
    """It is frozen with pages to go, and the database thinks it is gone."""
    process.start()
    await until(generations, await grow(log, 1, size=1))
    growing = asyncio.create_task(grow(log, 4))
    frozen = await until(generations, 2_000)
    process.signal(signal.SIGSTOP)
    await _cut_leader(log_dsn)
    await growing
    async with relaying(log_dsn, log, settings) as relay:
        took_over = await relay.until(frozen.position + 1)
        process.signal(signal.SIGCONT)
        last = await grow(log, 1, size=50)
        found = await relay.until(last)
        assert process.process.poll() is None
        await asyncio.to_thread(_until_said, process, "The relay stopped")
    assert took_over.position > frozen.position
    await assert_copied(log_dsn, settings, found)


async def _cut_leader(dsn):
    connection = await asyncpg.connect(dsn)
    try:
        assert await connection.fetchval(_CUT_LEADER)
    finally:
        await connection.close()


def _until_said(process, words):
    deadline = os.times().elapsed + WITHIN
    while words not in process.log():
        assert os.times().elapsed < deadline, process.log()
        time.sleep(0.02)
