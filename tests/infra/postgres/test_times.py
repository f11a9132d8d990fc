"""A time that is past stands for one position, whatever was being appended then."""

import asyncio
from datetime import UTC, datetime

import asyncpg

from tests.support.log import request

_WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

_MID_APPEND = """
    INSERT INTO log.event SELECT position + 1, clock_timestamp(), gen_random_uuid(),
        version + 1, shard, stream, tenant, type, meta, data, link, digest
    FROM log.event
"""


async def test_what_is_being_appended_has_its_time_already(log, log_dsn):
    await log.store.append(request("s"))
    slow = await asyncpg.connect(log_dsn)
    try:
        async with slow.transaction():
            await slow.execute("SELECT pg_advisory_xact_lock(7700100)")
            await slow.execute(_MID_APPEND)
            moment = datetime.now(UTC)
            asked = asyncio.create_task(log.store.position_at(moment))
            async with asyncio.timeout(60):
                while not (asked.done() or await slow.fetchval(_WAITING)):  # noqa: ASYNC110  nobody tells us
                    await asyncio.sleep(0.005)
    finally:
        await slow.close()
    assert await asked == await log.store.position_at(moment) == 2


async def test_an_earlier_time_waits_for_no_append(log, log_dsn):
    first = await log.store.append(request("s"))
    second = await log.store.append(request("s"))
    slow = await asyncpg.connect(log_dsn)
    try:
        async with slow.transaction(), asyncio.timeout(60):
            await slow.execute("SELECT pg_advisory_xact_lock(7700100)")
            earlier = first.recorded[0].recorded_at
            assert await log.store.position_at(earlier) == first.last < second.first
    finally:
        await slow.close()
