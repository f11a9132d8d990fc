"""The small door of processes without HTTP: what it tells, and what it survives."""

import asyncio
import contextlib
import json

import httpx
import pytest

from infra.door import listening
from infra.vitals import Vitals, answering


@pytest.fixture
async def met():
    vitals = Vitals("worker")
    with listening("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        async with (
            answering(vitals, door),
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", timeout=120
            ) as client,
        ):
            yield vitals, client, port


async def test_health_says_whether_the_process_is_ready_and_what_it_is(met):
    vitals, client, _ = met
    starting = await client.get("/health")
    assert (starting.status_code, starting.json()) == (
        503,
        {"status": "starting", "role": "worker"},
    )
    vitals.is_ready = lambda: True
    vitals.detail = lambda: {"leads": True}
    ready = await client.get("/health?x=1")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ok", "role": "worker", "leads": True},
    )
    assert ready.headers["content-type"] == "application/json"
    assert (await client.head("/health")).status_code == 200
    vitals.leave()
    assert (await client.get("/health")).status_code == 503


async def test_metrics_are_there_only_where_they_are_on(met):
    vitals, client, _ = met
    assert (await client.get("/metrics")).status_code == 404

    async def exposition():
        return b"palimpsest_log_head 7.0\n"

    vitals.metrics = exposition
    told = await client.get("/metrics")
    assert (told.status_code, told.text) == (200, "palimpsest_log_head 7.0\n")
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert (await client.post("/metrics", content="x")).status_code == 404
    assert (await client.get("/")).status_code == 404


@pytest.mark.parametrize(
    "sent",
    [b"\r\n\r\n", b"GET\r\n\r\n", b"x" * 20_000, b"\xff\xfe /health\r\n\r\n"],
)
async def test_nonsense_is_dropped_and_the_next_is_answered(met, sent):
    vitals, client, port = met
    vitals.is_ready = lambda: True
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = b""
    async with asyncio.timeout(60):
        with contextlib.suppress(ConnectionResetError):
            answer = await reader.read()
    writer.close()
    assert b"200" not in answer
    told = await client.get("/health")
    assert json.loads(told.content)["status"] == "ok"
