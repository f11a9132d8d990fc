"""Processes of one log whose settings name different models of vectors."""

import asyncio
import base64
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import httpx
import pytest

from infra.composition import open_palimpsest
from infra.roles import API, UP
from infra.settings import Settings
from infra.vectors.ledger import CollectionLedger
from infra.vectors.wanting import standing_of

AT = "/v3/workspaces/w"
PAIR = {"observer_id": "ann", "observed_id": "ann"}
SAID = ["Ann grows tomatoes.", "Ann sails.", "Ann keeps bees."]


@pytest.fixture
def start(database, tmp_path, stub):
    """Start a process of the one log, by its settings."""

    @asynccontextmanager
    async def start(model, role=UP, url=stub.url):
        settings = Settings(
            keys_master_key=base64.b64encode(bytes(range(32))).decode(),
            deletion_grace_seconds=0,
            embedding_vector_dimensions=384,
            embedding_model_config={
                "model": model,
                "overrides": {"base_url": url, "api_key": "k"},
            },
            _env_file=None,
        )
        opening = open_palimpsest(
            database.dsn(), data=tmp_path, settings=settings, role=role
        )
        async with opening as process:
            transport = httpx.ASGITransport(app=process.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://test"
            ) as http:
                yield process, http

    return start


async def conclude(http, *words):
    body = {"conclusions": [{"content": each} | PAIR for each in words]}
    answer = await http.post(f"{AT}/conclusions", json=body)
    assert answer.status_code == 201, answer.text


async def found(http, words):
    body = {"query": words, "filters": PAIR, "top_k": 10}
    answer = await http.post(f"{AT}/conclusions/query", json=body)
    assert answer.status_code == 200, answer.text
    return {each["content"] for each in answer.json()}


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  a bounded wait
            await asyncio.sleep(0.02)


async def test_all_follow_the_newest_model_and_nobody_goes_back(
    start, stub, database, caplog
):
    async with AsyncExitStack() as running:
        old, old_http = await running.enter_async_context(start("old"))
        await old_http.put(f"{AT}/peers/ann", json={})
        await conclude(old_http, *SAID)
        new, new_http = await running.enter_async_context(start("new"))
        await until(lambda: old.detail().get("vectors", {}).get("serving") == "new/384")
        await until(lambda: new.detail() == {})
        for http in (old_http, new_http):
            assert await found(http, "What grows?") == set(SAID)
        await conclude(old_http, "Ann paints.")
        for http in (old_http, new_http):
            assert "Ann paints." in await found(http, "Who paints?")
        # Older settings that come late: as an API, and where the model has another key.
        api, api_http = await running.enter_async_context(start("old", API))
        assert "Ann paints." in await found(api_http, "And who paints?")
        elsewhere = "http://127.0.0.1:9/v1"
        lost, lost_http = await running.enter_async_context(
            start("old", API, elsewhere)
        )
        told = lost.detail()["vectors"]
        assert told["set_here"] == "old/384"
        assert "by_words_because" in told
        body = {"query": "tomatoes"}
        answer = await lost_http.post(f"{AT}/search", json=body)
        assert answer.status_code == 200
        assert api.detail()["vectors"]["set_here"] == "old/384"
        assert await standing(running, database) == ("new/384", None)
    filled = [
        text
        for call in stub.embeddings
        if call.body["model"] == "new"
        for text in call.body["input"]
        if text in SAID
    ]
    assert sorted(filled) == sorted(SAID)
    said = [each.getMessage() for each in caplog.records]
    assert len([each for each in said if "names old/384 here" in each]) == 3


async def standing(running, database):
    pool = await running.enter_async_context(
        asyncpg.create_pool(database.dsn(), min_size=1, max_size=1)
    )
    stands = standing_of(await CollectionLedger(pool).all())
    return stands.serving.model, stands.filling and stands.filling.model
