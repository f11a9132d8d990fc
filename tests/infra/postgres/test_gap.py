"""A reader that follows positions must never step over an event (event-store.md 3a).

The same readers run against a log numbered by ``bigserial``, where they must miss
events, so that the test is known to bite; and against ours, where they must not.
"""

import asyncio
from contextlib import AsyncExitStack

import asyncpg
import pytest

from infra.postgres.log import PostgresLog
from tests.support.log import request

NAIVE = """
CREATE TABLE naive (position bigserial PRIMARY KEY, writer int NOT NULL)
"""
INSERT = "INSERT INTO naive (writer) SELECT $1 FROM generate_series(1, $2)"
SECONDS = 0.5
"""How long a round of careless writers takes."""


class Tail:
    """Reads a table by position, faster than anybody writes it."""

    def __init__(self, connection, table):
        self.connection = connection
        self.sql = (
            f"SELECT position FROM {table} WHERE position > $1"  # noqa: S608  ours
            " ORDER BY position LIMIT 500"
        )
        self.seen = []
        self.writing = True

    async def page(self):
        after = self.seen[-1] if self.seen else 0
        rows = await self.connection.fetch(self.sql, after)
        self.seen += [row["position"] for row in rows]
        return len(rows)

    async def run(self):
        while self.writing or await self.page():
            await self.page()


@pytest.fixture
async def connect(log_dsn):
    async with AsyncExitStack() as stack:

        async def one():
            connection = await asyncpg.connect(log_dsn)
            stack.push_async_callback(connection.close)
            return connection

        yield one


async def all_positions(connection, table):
    rows = await connection.fetch(f"SELECT position FROM {table} ORDER BY position")  # noqa: S608  ours
    return [row["position"] for row in rows]


async def test_a_late_commit_is_missed_by_a_reader_of_bigserial(connect):
    slow, quick, reading = await connect(), await connect(), await connect()
    await slow.execute(NAIVE)
    tail = Tail(reading, "naive")
    late = slow.transaction()
    await late.start()
    await slow.execute(INSERT, 1, 1)  # takes position 1
    await quick.execute(INSERT, 2, 1)  # takes position 2 and is there first
    await tail.page()
    await late.commit()
    await tail.page()
    assert tail.seen == [2]
    assert await all_positions(reading, "naive") == [1, 2]


async def test_a_late_commit_holds_back_those_behind_it_in_our_log(connect, log):
    slow, reading = await connect(), await connect()
    tail = Tail(reading, "log.event")
    late = slow.transaction()
    await late.start()
    await slow.execute("SELECT pg_advisory_xact_lock(7700100)")  # mid-append
    quick = log.store.submit(request("quick"))
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    )
    async with asyncio.timeout(60):
        while not await reading.fetchval(waiting):  # noqa: ASYNC110  nobody tells us
            await asyncio.sleep(0.005)
    await tail.page()
    assert tail.seen == []
    await late.commit()
    await quick
    await tail.page()
    assert tail.seen == [1]


async def test_under_load_a_reader_of_bigserial_misses_events(connect):
    setup = await connect()
    await setup.execute(NAIVE)
    tail = Tail(await connect(), "naive")
    writers = [(number, await connect()) for number in range(12)]

    async def write(until, writer, connection):
        while asyncio.get_running_loop().time() < until:
            async with connection.transaction():
                await connection.execute(INSERT, writer, 1 + writer % 4)

    for _ in range(20):  # one round is enough nearly always
        tail.writing = True
        reading = asyncio.create_task(tail.run())
        until = asyncio.get_running_loop().time() + SECONDS
        await asyncio.gather(*(write(until, *each) for each in writers))
        tail.writing = False
        await reading
        if set(await all_positions(setup, "naive")) - set(tail.seen):
            return
    pytest.fail("the test does not bite")


async def test_under_load_a_reader_of_our_log_misses_none(connect, log_dsn, master_key):
    tail = Tail(await connect(), "log.event")

    async def write(log, writer):
        for _ in range(40):
            await log.store.append(request(f"s{writer}", size=1 + writer % 4))

    async with AsyncExitStack() as stack:
        # Three processes append at once; each of them commits in groups.
        logs = [
            await stack.enter_async_context(PostgresLog.open(log_dsn, master_key))
            for _ in range(3)
        ]
        reading = asyncio.create_task(tail.run())
        await asyncio.gather(*(write(logs[n % 3], n) for n in range(24)))
        tail.writing = False
        await reading
    written = await all_positions(await connect(), "log.event")
    assert tail.seen == written == list(range(1, 2_401))
