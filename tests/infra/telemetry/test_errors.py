"""Reports to Sentry: errors nobody foresaw, without anybody's words."""

import gzip
import json
import logging
import sys

import pytest
from httpx import ASGITransport, AsyncClient
from litestar import get
from pydantic import SecretStr

from domain.errors import NotFound
from infra.delivery import Delivery, FeedLimits
from infra.http.app import AppSettings, create_app
from infra.settings import Settings, SettingsUnusable
from infra.telemetry.doors import Doors
from infra.telemetry.errors import reporting
from infra.telemetry.telemetry import open_telemetry
from processors.processor import Batch
from tests.infra.telemetry.test_emitter import recorded
from tests.support.log import said
from tests.support.receiver import receiving

SECRET = "what nobody may read"  # noqa: S105  a mark


def items(receiver):
    """All that was reported, by type."""
    found = {}
    for heard in receiver.heard:
        body = heard.body
        if heard.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        lines = [json.loads(line) for line in body.splitlines() if line]
        for header, payload in zip(lines[1::2], lines[2::2], strict=True):
            found.setdefault(header["type"], []).append(payload)
    return found


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture
def settings(receiver):
    return Settings(
        sentry_enabled=True,
        sentry_dsn=f"http://key@127.0.0.1:{receiver.port}/1",
        sentry_release="9.9",
        sentry_traces_sample_rate=1.0,
        sentry_profiles_sample_rate=0.0,
    )


@get("/broken", sync_to_thread=False)
def broken() -> None:
    words = SECRET
    raise RuntimeError(words)


@get("/missing", sync_to_thread=False)
def missing() -> None:
    raise NotFound(SECRET)


async def test_errors_are_reported_by_type_and_place(receiver, settings):
    async with reporting(settings) as requests:
        told = AppSettings(is_ready=lambda: True, count_tokens=len)
        app = Doors(create_app([broken, missing], {}, told), [requests])
        transport = ASGITransport(app, raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url="http://t") as http:
            for path in ("/broken", "/missing", "/health", "/metrics"):
                await http.get(
                    path, params={"q": SECRET}, headers={"X-Request-Id": "req-9"}
                )
    found = items(receiver)
    assert SECRET not in json.dumps(found)
    [event] = found["event"]
    [error] = event["exception"]["values"]
    assert error["type"] == "RuntimeError"
    assert error["stacktrace"]["frames"][-1]["function"] == "broken"
    assert event["tags"]["palimpsest.request"] == "req-9"
    assert (event["release"], event["environment"]) == ("9.9", "development")
    names = {each["transaction"] for each in found["transaction"]}
    assert names == {"GET /broken", "GET /missing"}


async def test_what_breaks_a_processor_is_reported_with_its_position(
    receiver, settings
):
    class Breaking:
        name = "breaking"
        handles = ()

        async def __call__(self, _batch):
            raise ValueError(SECRET)

    async with reporting(settings):
        deliver = Delivery(Breaking(), FeedLimits())
        await deliver(Batch("w/s", (recorded(said(SECRET), 41),)), 0)
    found = items(receiver)
    [event] = found["event"]
    assert event["tags"]["palimpsest.processor"] == "breaking"
    assert event["tags"]["palimpsest.position"] == "41"
    assert SECRET not in json.dumps(found)


async def test_an_ingest_that_is_away_disturbs_nobody(settings):
    away = settings.model_copy(
        update={"sentry_dsn": SecretStr("http://key@127.0.0.1:9/1")}
    )
    async with reporting(away):
        logging.getLogger("palimpsest.test").error(
            "broke", extra={"failure": ValueError(SECRET)}
        )


async def test_where_it_is_not_installed_that_is_said_in_one_line(
    settings, monkeypatch
):
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    monkeypatch.delitem(sys.modules, "infra.telemetry.errors", raising=False)
    with pytest.raises(SettingsUnusable, match="uv sync --extra sentry"):
        async with open_telemetry(settings):
            pass
