"""What a rebuild that was broken off left does not keep what is erased."""

import asyncio

import asyncpg
import pytest

from domain.erasure import SessionErased
from infra.postgres.views import connect_views
from infra.rebuild.abandoned import TURN
from infra.rebuild.rebuild import rebuild
from projections.registry import LAGGING, PROMPT
from tests.support.history import START
from tests.support.log import said
from tests.support.projecting import append, projecting

ALL = (*PROMPT, *LAGGING)
WAITS = """
    SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'
        AND objid = $1::bigint::oid AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
HELD = "SELECT count(*) FROM view_rebuild.message WHERE session = 's'"


async def broken_off(log, dsn, monkeypatch):
    """Break a rebuild off once its messages are folded."""

    async def gives_up(*_):
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr("infra.rebuild.folding.put_back", gives_up)
        with pytest.raises(ConnectionError):
            await rebuild(dsn, log, ALL)


async def is_left(db):
    return await db.fetchval("SELECT to_regnamespace('view_rebuild') IS NOT NULL")


async def gone(db):
    async with asyncio.timeout(60):
        while await is_left(db):  # noqa: ASYNC110  a bounded wait for a state
            await asyncio.sleep(0.02)


async def erase(log, prompt):
    event = SessionErased(workspace="team", session="s", erased_at=START, through=2)
    assert await prompt.wait_for(await append(log, [event]), 60)


async def test_words_erased_later_are_not_left_in_a_broken_off_rebuild(
    log, log_dsn, monkeypatch
):
    db = await connect_views(log_dsn)
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await append(log, [said("a secret", session="s", seq=1)])
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
        await broken_off(log, log_dsn, monkeypatch)
        assert await db.fetchval(HELD) == 1
        last = await append(log, [said("more", session="t", seq=1)])
        assert await prompt.wait_for(last, 60)
        assert await is_left(db)
        await erase(log, prompt)
        await gone(db)
    await db.close()


async def test_what_was_erased_while_it_was_folded_goes_at_the_next_start(
    log, log_dsn, monkeypatch
):
    """The rebuild under way is left alone; killed afterwards, it keeps nothing."""
    db = await connect_views(log_dsn)
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await append(log, [said("a secret", session="s", seq=1)])
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
        await broken_off(log, log_dsn, monkeypatch)
        rebuilding = await asyncpg.connect(log_dsn)
        await rebuilding.execute("SELECT pg_advisory_lock($1)", TURN)
        await erase(log, prompt)
        await prompt._upkeep.done()
        assert await db.fetchval(HELD) == 1
        rebuilding.terminate()
    async with projecting(log, log_dsn):
        await gone(db)
    await db.close()


async def test_a_rebuild_waits_while_a_server_looks_what_was_left(
    log, log_dsn, monkeypatch
):
    monkeypatch.setattr("infra.rebuild.rebuild._PATIENCE", "60s")
    looking = await asyncpg.connect(log_dsn)
    watching = await asyncpg.connect(log_dsn)
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await append(log, [said("tea", seq=1)])
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
        await looking.execute("SELECT pg_advisory_lock($1)", TURN)
        rebuilding = asyncio.create_task(rebuild(log_dsn, log, ALL))
        async with asyncio.timeout(60):
            while not await watching.fetchval(WAITS, TURN):  # noqa: ASYNC110  bounded
                await asyncio.sleep(0.01)
        await looking.execute("SELECT pg_advisory_unlock($1)", TURN)
        assert (await rebuilding).events == last
    await looking.close()
    await watching.close()


async def test_one_that_holds_nothing_erased_is_left_to_go_on(
    log, log_dsn, monkeypatch
):
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await append(log, [said(f"tea {n}", seq=n) for n in range(1, 60)])
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
        await broken_off(log, log_dsn, monkeypatch)
    async with projecting(log, log_dsn) as (prompt, _):
        await prompt._upkeep.done()
        assert (await rebuild(log_dsn, log, ALL)).resumed > 0
