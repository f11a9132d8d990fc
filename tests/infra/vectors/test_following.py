"""A process that fills no vectors asks the model that serves, once another changed."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from socket import gethostname

import msgspec

from infra.settings import Settings
from infra.tokens.counter import O200kCounter
from infra.vectors.following import Following
from infra.vectors.ledger import CollectionLedger
from infra.vectors.opening import open_vectors
from infra.vectors.reading import Reading

THERE = "http://127.0.0.1:9/v1"


def provider(model):
    overrides = {"base_url": THERE, "api_key": "k"}
    return Settings(
        embedding_model_config={"overrides": overrides, "model": model}, _env_file=None
    )


class Head:
    """A log of ten events."""

    async def head(self):
        return 10


async def nobody_reads(_source):
    raise AssertionError("who follows starts no reader")


@asynccontextmanager
async def following(pool, log_dsn, model):
    """What ``palimpsest api`` has of vectors, where this model is set."""
    async with AsyncExitStack() as running:
        opened = await open_vectors(
            *(log_dsn, provider(model), O200kCounter(), running, lambda source: source),
            role=None,
        )
        follows = Following(opened, Reading(pool, ()), Head(), nobody_reads)
        task = await follows.start(reads=False)
        yield opened, follows
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  a bounded wait
            await asyncio.sleep(0.01)


async def set_to(dsn, model):
    """What a worker does at its start, where this model is set."""
    async with AsyncExitStack() as running:
        opened = await open_vectors(
            dsn, provider(model), O200kCounter(), running, lambda source: source
        )
    return opened.standing.newest


async def states(pool):
    return {each.model: each.state for each in await CollectionLedger(pool).all()}


async def test_what_another_process_changed_to_is_asked_from_then_on(pool, log_dsn):
    await set_to(log_dsn, "m")
    filling = await set_to(log_dsn, "n")
    async with following(pool, log_dsn, "n") as (opened, change):
        assert opened.serving.source.model == "m"
        told = {"from": "m", "to": "n"}
        await until(lambda: change.detail().get("vectors", {}).get("head") == 10)
        assert change.detail()["vectors"] == told | {"position": 0, "head": 10}
        await pool.execute(
            "INSERT INTO work.checkpoint (processor, position)"
            " VALUES ('embed_memory.n', 7)"
        )
        await until(lambda: change.detail()["vectors"]["position"] == 7)
        served = msgspec.structs.replace(filling, since=9)
        await CollectionLedger(pool).serve(served)
        await until(lambda: opened.serving.source.model == "n")
        assert opened.serving.since == 9
        assert change.detail() == {}


async def test_who_has_other_settings_asks_what_serves_and_changes_no_record(
    pool, log_dsn
):
    """A server that nobody told of the new model, before the change and after."""
    await set_to(log_dsn, "m")
    async with following(pool, log_dsn, "m") as (opened, _):
        filling = await set_to(log_dsn, "n")
        await CollectionLedger(pool).serve(filling)
        await until(lambda: opened.serving.source.model == "n")
    async with following(pool, log_dsn, "m") as (opened, change):
        assert opened.serving.source.model == "n"
        by = f"up on {gethostname()}"
        told = {"serving": "n", "wanted": "n", "wanted_by": by, "set_here": "m"}
        assert change.detail() == {"vectors": told}
    assert await states(pool) == {"m": "former", "n": "serving"}


async def test_who_has_nothing_to_follow_goes_on(pool, log_dsn):
    async with following(pool, log_dsn, "m") as (opened, change):
        await asyncio.sleep(0)
        assert (opened.serving.source.model, change.detail()) == ("m", {})
    assert await states(pool) == {}
