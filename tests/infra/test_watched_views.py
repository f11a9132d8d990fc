"""Views another process folds: known at once, through losses, and by who looks late."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from infra.folding import BEHIND, PROMPTLY, watch_views
from infra.postgres.checkpoints import FOLDED
from infra.watch import Watch
from infra.watched_views import ViewWatch, WatchedViews
from projections.registry import LAGGING, PROMPT
from tests.support.log import said
from tests.support.projecting import append, projecting

NEVER = 3_600.0


@asynccontextmanager
async def watching(dsn):
    async with AsyncExitStack() as running:
        yield await watch_views(dsn, Watch(), running)


@asynccontextmanager
async def hearing(dsn):
    """Watch without ever looking: what is not told is not known."""
    prompt = WatchedViews([each.name for each in PROMPT])
    lagging = WatchedViews([each.name for each in LAGGING])
    groups = {PROMPTLY: prompt, BEHIND: lagging}
    task = await ViewWatch(dsn, groups, poll=NEVER).start()
    yield prompt, lagging
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_folded_elsewhere_is_known_as_soon_as_it_is_committed(
    log, log_dsn
):
    async with projecting(log, log_dsn) as folded, hearing(log_dsn) as watched:
        for projector, name in zip(folded, (PROMPTLY, BEHIND), strict=True):
            projector.announce_as(name)
        for n in range(1, 10):
            position = await append(log, [said(f"hello {n}", seq=n)])
            for views in watched:
                assert await views.wait_for(position, 60), n
                assert views.position == position
        db = await asyncpg.connect(log_dsn)
        rows = await db.fetch("SELECT position FROM view.checkpoint")
        assert {row["position"] for row in rows} == {position}
        await db.close()


async def test_what_nobody_told_of_is_read_within_a_second_or_so(log, log_dsn):
    async with projecting(log, log_dsn) as (_, lagging):
        position = await append(log, [said("hello")])
        await lagging.passed(position)
        async with watching(log_dsn) as (prompt, behind):
            assert (prompt.position, behind.position) == (position, position)
            last = await append(log, [said("hello again", seq=2)])
            assert await behind.wait_for(last, 60)
            await asyncio.wait_for(prompt.passed(last), 60)


async def test_a_wait_in_vain_ends_at_its_bound(log, log_dsn):
    async with projecting(log, log_dsn), watching(log_dsn) as (prompt, _):
        assert not await prompt.wait_for(10**6, 0.05)
        position = await append(log, [said("hello")])
        assert await prompt.wait_for(position, 60)


async def test_a_lost_connection_and_a_strange_word_only_delay_it(log, log_dsn):
    async with projecting(log, log_dsn) as folded, watching(log_dsn) as (prompt, _):
        folded[0].announce_as(PROMPTLY)
        db = await asyncpg.connect(log_dsn)
        for n in range(1, 4):
            cut = await db.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'palimpsest-watch'"
                " AND datname = current_database()"
            )
            assert cut == 1
            position = await append(log, [said(f"hello {n}", seq=n)])
            for word in ("", "prompt", "prompt x", "other 9999", "prompt -1"):
                await db.execute("SELECT pg_notify($1, $2)", FOLDED, word)
            assert await prompt.wait_for(position, 60)
            assert prompt.position == position
        await db.close()


async def test_after_a_crash_that_set_views_back_they_are_where_they_are(log, log_dsn):
    async with projecting(log, log_dsn, lawful=False) as (prompt, lagging):
        position = await append(log, [said("one"), said("two", seq=2)])
        await lagging.passed(position)
        await prompt.close()
        await lagging.close()
        async with watching(log_dsn) as (watched, _):
            assert watched.position == position
            db = await asyncpg.connect(log_dsn)
            await db.execute("UPDATE view.checkpoint SET position = 1")
            await db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'palimpsest-watch'"
                " AND datname = current_database()"
            )
            await db.close()
            async with asyncio.timeout(60):
                while watched.position != 1:  # noqa: ASYNC110  a bounded wait
                    await asyncio.sleep(0.01)
