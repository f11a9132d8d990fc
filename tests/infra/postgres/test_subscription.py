import asyncio
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import pytest

from infra.postgres import tail as tail_module
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.tail import Follower, Tail
from tests.support.log import request

SOON = 60


@asynccontextmanager
async def following(log, after=0, **options):
    """Collect what a subscription yields, until the block ends."""
    seen = []

    async def collect():
        async for batch in log.subscription(after, **options):
            seen.append(batch)  # noqa: PERF401  it never ends

    task = asyncio.create_task(collect())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.wait([task])


async def positions(seen, last):
    async def reached():
        return bool(seen) and seen[-1][-1].position >= last

    await eventually(reached)
    return [each.position for batch in seen for each in batch]


async def eventually(condition):
    async with asyncio.timeout(SOON):
        while not await condition():  # noqa: ASYNC110  nobody tells us
            await asyncio.sleep(0.005)


async def listening(dsn, count):
    connection = await asyncpg.connect(dsn)

    async def so_many():
        return count == await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%max(position)%'"
            " AND application_name LIKE 'palimpsest-announcer/%'"  # asked once it hears
            " AND datname = current_database() AND state = 'idle'"
        )

    await eventually(so_many)
    await connection.close()


async def end(dsn, names):
    connection = await asyncpg.connect(dsn)
    await connection.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name ~ $1",
        names,
    )
    await connection.close()


async def test_what_is_committed_here_is_handed_over_unread(log):
    async with following(log) as seen:
        first = await log.store.append(request("s"))
        await positions(seen, 1)
        second = await log.store.append(request("s", size=3))
        assert await positions(seen, 4) == [1, 2, 3, 4]
    assert seen[0][0] is first.recorded[0]
    assert seen[-1][-1] is second.recorded[-1]


async def test_two_processes_see_each_other_at_once(log_dsn, master_key):
    async with (
        PostgresLog.open(log_dsn, master_key) as one,
        PostgresLog.open(log_dsn, master_key) as other,
        # The poll is too slow to matter: only a NOTIFY can wake them in time.
        following(one, poll=600) as of_one,
        following(other, poll=600) as of_other,
    ):
        await listening(log_dsn, 2)
        for n in range(20):
            await (one, other)[n % 2].store.append(request("s"))
        assert await positions(of_one, 20) == list(range(1, 21))
        assert await positions(of_other, 20) == list(range(1, 21))


async def test_what_was_announced_while_nobody_listened_is_known_afterwards(
    log_dsn, master_key
):
    async with (
        PostgresLog.open(log_dsn, master_key, LogSettings(process="one")) as one,
        PostgresLog.open(log_dsn, master_key, LogSettings(process="other")) as other,
        following(other, poll=600) as of_other,
    ):
        await listening(log_dsn, 2)
        await end(log_dsn, "palimpsest-announcer/other")
        await one.store.append(request("s"))
        assert await positions(of_other, 1) == [1]


async def test_without_announcements_the_poll_finds_what_others_wrote(
    log_dsn, master_key
):
    quiet = LogSettings(announces=False)
    async with (
        PostgresLog.open(log_dsn, master_key, quiet) as one,
        PostgresLog.open(log_dsn, master_key, quiet) as other,
        following(one, poll=0.05) as seen,
    ):
        await asyncio.gather(*(other.store.append(request("s")) for _ in range(5)))
        assert await positions(seen, 5) == [1, 2, 3, 4, 5]


async def test_it_survives_the_loss_of_every_connection(log, log_dsn):
    async with following(log, poll=0.05) as seen:
        for n in range(1, 5):
            await log.store.append(request("s"))
            await positions(seen, n)
            await end(log_dsn, "palimpsest")
        await log.store.append(request("s"))
        assert await positions(seen, 5) == [1, 2, 3, 4, 5]


async def test_a_slow_reader_reads_pages_and_misses_nothing(log, monkeypatch):
    monkeypatch.setattr(tail_module, "KEPT_EVENTS", 10)
    await log.store.append(request("s"))
    seen = []
    async with asyncio.timeout(SOON):
        async for batch in log.subscription(0, page=7):
            assert len(batch) <= 7
            seen += [each.position for each in batch]
            if len(seen) >= 100:
                break
            for _ in range(3):
                await log.store.append(request("s", size=4))
    assert seen == list(range(1, len(seen) + 1))


async def test_a_commit_larger_than_a_page_is_cut(log):
    async with following(log, page=10) as seen:
        await log.store.append(request("s", size=35))
        assert await positions(seen, 35) == list(range(1, 36))
    assert max(len(batch) for batch in seen) <= 10


async def test_it_ends_with_the_log(log_dsn, master_key):
    async with PostgresLog.open(log_dsn, master_key) as log:
        subscription = aiter(log.subscription(0, poll=0.01))
        following = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
    with pytest.raises(asyncpg.InterfaceError):
        async with asyncio.timeout(SOON):
            await following


async def test_leaving_a_subscription_leaves_nothing_behind(log):
    async with following(log) as seen:
        await log.store.append(request("s"))
        await positions(seen, 1)

    async def nobody_follows():
        return not any(follower._keeps for follower in log._tail._followers)

    await eventually(nobody_follows)


def batch_of(recorded, *positions):
    return [
        msgspec.structs.replace(recorded, position=position) for position in positions
    ]


async def test_what_is_kept_is_handed_out_without_a_gap_or_twice(log):
    one = (await log.store.append(request("s"))).recorded[0]
    follower = Follower(keeps=True)
    follower.hand(batch_of(one, 1, 2), 10)
    follower.hand(batch_of(one, 3), 10)
    follower.hand(batch_of(one, 7, 8), 10)
    assert [e.position for e in follower.take(1, 10)] == [2, 3]
    assert follower.take(3, 10) == []
    assert [e.position for e in follower.take(6, 10)] == [7, 8]
    assert follower.take(8, 10) == []
    follower.hand(batch_of(one, 9), tail_module.KEPT_BYTES + 1)
    assert follower.take(8, 10) == []


async def test_advancing_backwards_wakes_nobody():
    tail = Tail()
    follower = tail.follow()
    tail.advance(5)
    assert follower.woken.is_set()
    follower.woken.clear()
    tail.advance(4)
    assert not follower.woken.is_set()
    assert tail.head == 5
