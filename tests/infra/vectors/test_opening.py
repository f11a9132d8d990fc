"""What a start finds of collections, and what may be dropped."""

from contextlib import AsyncExitStack

import asyncpg
import pytest

from infra.cli.vector_lines import vector_lines
from infra.embedder.serving import Unreachable
from infra.settings import Settings
from infra.tokens.counter import O200kCounter
from infra.vectors.dropping import drop_collection
from infra.vectors.ledger import CollectionLedger
from infra.vectors.models import BUNDLED
from infra.vectors.opening import open_vectors
from infra.vectors.progress import CollectionStanding

THERE = "http://127.0.0.1:9/v1"


@pytest.fixture
async def pool(log_dsn):
    """A log with views, nothing in either."""
    pool = await asyncpg.create_pool(log_dsn, min_size=1, max_size=2)
    await pool.execute(
        "CREATE SCHEMA view; CREATE TABLE view.vector_collection"
        " (name text, kind text, model text, dimensions integer)"
    )
    yield pool
    await pool.close()


def provider(**more):
    config = {"overrides": {"base_url": THERE, "api_key": "k"}, "model": "m"} | more
    return Settings(embedding_model_config=config, _env_file=None)


async def opened(pool, settings):
    async with AsyncExitStack() as running:
        found = await open_vectors(
            pool, settings, O200kCounter(), running, lambda source: source
        )
    states = {each.model: each.state for each in await CollectionLedger(pool).all()}
    return found, states


async def test_where_nothing_was_the_model_that_is_set_serves_at_once(pool):
    found, states = await opened(pool, provider())
    assert found.filling is None
    assert (found.serving.source.model, found.serving.since) == ("m", 0)
    assert states == {"m": "serving"}


async def test_another_model_is_filled_and_a_change_of_mind_leaves_it(pool):
    await opened(pool, provider())
    found, states = await opened(pool, provider(model="n"))
    assert found.serving.source.model == "m"
    assert found.filling.source.model == "n"
    assert states == {"m": "serving", "n": "filling"}
    found, states = await opened(pool, provider())
    assert found.filling is None
    assert states == {"m": "serving", "n": "former"}


async def test_a_key_goes_to_no_other_address(pool):
    await opened(pool, provider())
    elsewhere = {"base_url": "http://127.0.0.1:10/v1", "api_key": "other"}
    found, _ = await opened(pool, provider(model="n", overrides=elsewhere))
    assert isinstance(found.serving.source, Unreachable)
    assert found.serving.source.model == "m"
    known = (await CollectionLedger(pool).all())[0]
    assert "k" not in known.asked.values()


async def test_what_served_before_anything_was_on_record_goes_on(pool):
    await pool.execute(
        "INSERT INTO view.vector_collection VALUES ('t', 'message', $1, 384)", BUNDLED
    )
    await pool.execute(
        "INSERT INTO work.checkpoint (processor, position) VALUES ('embed_memory', 7)"
    )
    found, states = await opened(pool, provider())
    assert states == {BUNDLED: "serving", "m": "filling"}
    assert found.serving.source.dimensions == 384


async def test_only_a_former_one_is_dropped_and_comes_back_under_another_name(
    pool, log_dsn
):
    await opened(pool, provider())
    assert not await drop_collection(log_dsn, "m")
    assert not await drop_collection(log_dsn, "unknown")
    await opened(pool, provider(model="n"))
    await opened(pool, provider())
    assert await drop_collection(log_dsn, "n")
    assert await drop_collection(log_dsn, "n")
    found, states = await opened(pool, provider(model="n"))
    assert found.filling.source.model == "n#2"
    assert states == {"m": "serving", "n": "dropped", "n#2": "filling"}


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
        " 100, 20 events/s, about 3 s left; 1 keys wait, see palimpsest park list"
    )
