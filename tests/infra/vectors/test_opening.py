"""What a start finds of collections, and what may be dropped."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from socket import gethostname

import pytest

from infra.cli.vector_lines import vector_lines
from infra.embedder.serving import Unreachable
from infra.roles import UP, WORKER
from infra.settings import Settings
from infra.tokens.counter import O200kCounter
from infra.vectors import wanting
from infra.vectors.dropping import drop_collection
from infra.vectors.ledger import CollectionLedger
from infra.vectors.models import BUNDLED, wanted_model
from infra.vectors.opening import open_vectors
from infra.vectors.progress import CollectionStanding, collections_standing
from infra.vectors.wanting import Wanting

THERE = "http://127.0.0.1:9/v1"


def provider(**more):
    config = {"overrides": {"base_url": THERE, "api_key": "k"}, "model": "m"} | more
    return Settings(embedding_model_config=config, _env_file=None)


@pytest.fixture
def opened(pool, log_dsn):
    """What a process finds that starts with these settings, and ends at once."""

    async def opened(settings):
        async with running(log_dsn, settings) as found:
            pass
        return found, await states_of(pool)

    return opened


@asynccontextmanager
async def running(dsn, settings, role=UP.name):
    async with AsyncExitStack() as stack:
        yield await open_vectors(
            dsn, settings, O200kCounter(), stack, lambda source: source, role=role
        )


async def states_of(pool):
    return {each.model: each.state for each in await CollectionLedger(pool).all()}


async def test_where_nothing_was_the_model_that_is_set_serves_at_once(opened):
    found, states = await opened(provider())
    assert found.standing.filling is None
    assert (found.serving.source.model, found.serving.since) == ("m", 0)
    assert states == {"m": "serving"}


async def test_another_model_is_filled_and_a_change_of_mind_leaves_it(opened):
    await opened(provider())
    found, states = await opened(provider(model="n"))
    assert found.serving.source.model == "m"
    assert found.standing.filling.model == "n"
    assert states == {"m": "serving", "n": "filling"}
    found, states = await opened(provider())
    assert found.standing.filling is None
    assert states == {"m": "serving", "n": "former"}


async def test_a_key_goes_to_no_other_address(pool, opened):
    await opened(provider())
    elsewhere = {"base_url": "http://127.0.0.1:10/v1", "api_key": "other"}
    found, _ = await opened(provider(model="n", overrides=elsewhere))
    assert isinstance(found.serving.source, Unreachable)
    assert found.serving.source.model == "m"
    known = (await CollectionLedger(pool).all())[0]
    assert "k" not in known.asked.values()


async def test_what_served_before_anything_was_on_record_goes_on(pool, opened):
    await pool.execute(
        "INSERT INTO view.vector_collection VALUES ('t', 'message', $1, 384)", BUNDLED
    )
    await pool.execute(
        "INSERT INTO work.checkpoint (processor, position) VALUES ('embed_memory', 7)"
    )
    found, states = await opened(provider())
    assert states == {BUNDLED: "serving", "m": "filling"}
    assert found.serving.source.dimensions == 384


async def test_only_a_former_one_is_dropped_and_comes_back_under_another_name(
    opened, log_dsn
):
    await opened(provider())
    assert not await drop_collection(log_dsn, "m")
    assert not await drop_collection(log_dsn, "unknown")
    await opened(provider(model="n"))
    await opened(provider())
    assert await drop_collection(log_dsn, "n")
    assert await drop_collection(log_dsn, "n")
    found, states = await opened(provider(model="n"))
    assert found.standing.filling.model == "n#2"
    assert states == {"m": "serving", "n": "dropped", "n#2": "filling"}


async def test_who_starts_with_an_older_model_beside_the_newer_follows_it(
    pool, log_dsn
):
    async with running(log_dsn, provider()):
        async with running(log_dsn, provider(model="n")):
            for _ in range(2):
                async with running(log_dsn, provider()) as older:
                    assert older.standing.newest.model == "n"
                    assert older.serving.source.model == "m"
                    assert not older.wanting.is_ours(older.standing.newest)
            assert await states_of(pool) == {"m": "serving", "n": "filling"}
        async with running(log_dsn, provider()) as alone:
            assert alone.standing.filling is None
        assert await states_of(pool) == {"m": "serving", "n": "former"}


async def test_who_followed_asks_for_it_once_it_is_wanted_again(pool, log_dsn):
    """All are set back one by one: the last start decides, the next ones keep to it."""
    async with running(log_dsn, provider()):
        pass
    async with AsyncExitStack() as newer:
        await newer.enter_async_context(running(log_dsn, provider(model="n")))
        async with running(log_dsn, provider()) as first:
            await newer.aclose()
            async with running(log_dsn, provider()):
                pass
            assert (await first.wanting.look()).filling is None
            async with running(log_dsn, provider(model="n")) as late:
                assert late.standing.newest.model == "m"
    assert await states_of(pool) == {"m": "serving", "n": "former"}


async def test_an_old_setting_never_comes_back_by_the_start_of_a_worker(pool, log_dsn):
    """Whoever asked for the newer one may be down: it is wanted until one is told."""
    async with running(log_dsn, provider(), WORKER.name):
        pass
    async with running(log_dsn, provider(model="n"), WORKER.name):
        wanted = await wanted_of(pool)
        assert (wanted.model, wanted.set_in) == ("n", 1)
    for role in (WORKER.name, UP.name, WORKER.name):
        async with running(log_dsn, provider(), role) as older:
            assert older.standing.newest.model == "n"
            assert not older.wanting.is_ours((await older.wanting.look()).newest)
    wanted = await wanted_of(pool)
    assert (wanted.model, wanted.set_in) == ("n", 0)
    assert wanted.wanted_by == f"worker on {gethostname()}"
    [line] = vector_lines(await collections_standing(pool, 9), 9)
    assert f"wanted by worker on {gethostname()} since 20" in line
    assert "no process that runs is set to it" in line
    async with (
        running(log_dsn, provider(), WORKER.name) as older,
        AsyncExitStack() as told,
    ):
        command = Wanting(log_dsn, wanted_model(provider()), "a command")
        assert (await command.insist(told)).filling is None
        assert older.wanting.is_ours((await older.wanting.look()).newest)
        wanted = await wanted_of(pool)
        assert (wanted.model, wanted.set_in) == ("m", 1)
        assert wanted.wanted_by == f"a command on {gethostname()}"
        async with running(log_dsn, provider(model="n"), WORKER.name) as late:
            assert late.standing.newest.model == "m"
        async with running(log_dsn, provider(model="o"), WORKER.name) as new:
            assert new.standing.newest.model == "o"
    assert await states_of(pool) == {"m": "serving", "n": "former", "o": "filling"}


async def wanted_of(pool):
    [wanted] = [each for each in await collections_standing(pool, 0) if each.wanted]
    return wanted


async def test_many_that_start_at_once_agree(pool, log_dsn):
    async def start(stack, model):
        opening = running(log_dsn, provider(model=model))
        return await stack.enter_async_context(opening)

    async with AsyncExitStack() as stack:
        models = ["m", "n", "m", "o", "n", "m"]
        all_of_them = [await each for each in _begun(start, stack, models)]
        newest = {(await each.wanting.look()).newest.model for each in all_of_them}
        assert len(newest) == 1
    states = [*(await states_of(pool)).values()]
    assert (states.count("serving"), states.count("filling")) == (1, 1)


def _begun(start, stack, models):
    return [asyncio.ensure_future(start(stack, each)) for each in models]


def test_status_tells_of_a_change_and_of_nothing_else():
    serving = CollectionStanding(
        model="m", dimensions=384, state="serving", since=0, position=90
    )
    assert list(vector_lines([serving], 100)) == []
    filling = CollectionStanding(
        model="n",
        dimensions=1_536,
        state="filling",
        since=0,
        position=40,
        waiting=1,
        rate=20.0,
        seconds_left=3.0,
    )
    [line] = vector_lines([serving, filling], 100)
    assert line == (
        "vectors: from m (384 dimensions) to n (1,536 dimensions): at position 40 of"
        " 100, 20 events/s, about 3 s left; 1 keys wait, see palimpsest park list;"
        " wanted by who is not on record, no process that runs is set to it"
    )


_WAITED = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'palimpsest-vectors' AND wait_event = 'advisory'
    AND clock_timestamp() - query_start > make_interval(secs => $1)
)
"""


async def test_who_starts_waits_for_a_slow_start_beside_it(pool, log_dsn, monkeypatch):
    monkeypatch.setattr(wanting, "_WITHIN", 0.1)
    async with AsyncExitStack() as stack, AsyncExitStack() as slow:
        await slow.enter_async_context(CollectionLedger(pool).alone())
        opening = running(log_dsn, provider())
        starting = asyncio.ensure_future(stack.enter_async_context(opening))
        async with asyncio.timeout(60):
            while not await pool.fetchval(_WAITED, 0.5):
                assert not starting.done(), starting.exception()
                await asyncio.sleep(0.02)
        await slow.aclose()
        found = await starting
        assert found.standing.serving.model == "m"
