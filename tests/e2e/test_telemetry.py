"""A server with all telemetry on, failing models, and those who receive what it tells.

Nobody's words and no secret are in any of it.
"""

import time
import uuid

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.test_models import eventually, say, thinking
from tests.support.load import plain_client
from tests.support.openai_stub import openai_stub
from tests.support.server import running

SECRET = "xyzzy-secret"  # noqa: S105  a mark


@pytest.fixture(scope="module")
def stub():
    with openai_stub(key=f"{SECRET}-model-key") as running_stub:
        running_stub.otherwise = thinking
        yield running_stub


@pytest.fixture(scope="module")
def server(stub, tmp_path_factory):
    data = tmp_path_factory.mktemp("telemetry") / "data"
    settings = {
        "LLM_OPENAI_BASE_URL": stub.url,
        "LLM_OPENAI_API_KEY": f"{SECRET}-model-key",
        "DERIVER_FLUSH_ENABLED": "true",
        "NAMESPACE": "school",
        "METRICS_ENABLED": "true",
        "LOG_REQUESTS": "true",
    }
    with running(data, settings) as started:
        yield started


@pytest.fixture
def http(server, stub):
    stub.otherwise = thinking
    with plain_client(server.url) as client:
        yield client


@pytest.fixture
def at():
    return f"/v3/workspaces/told-{uuid.uuid4().hex[:8]}"


def concluded(http, at):
    return http.post(f"{at}/conclusions/list", json={}).json()["items"]


def series(http):
    text = http.get("/metrics").text
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            found[sample.name, labels] = sample.value
    return found


def total(found, name, **labels):
    """Add up all series of a name that have these labels."""
    wanted = labels.items()
    return sum(
        value
        for (each, its), value in found.items()
        if each == name and wanted <= dict(its).items()
    )


def test_metrics_follow_what_happens(http, at):
    name = at.rpartition("/")[2]
    [said] = say(http, at, f"I own a boat named {SECRET}.")
    eventually(lambda: concluded(http, at))
    found = series(http)
    assert all(dict(labels)["namespace"] == "school" for _, labels in found)
    assert total(found, "messages_created_total", workspace_name=name) == 1
    posted = {"endpoint": "/v3/workspaces/{workspace}/sessions/{session}/messages"}
    assert total(found, "api_requests_total", **posted, status_code="201") >= 1
    work = {"workspace_name": name, "task_type": "representation"}
    assert total(found, "deriver_queue_items_processed_total", **work) == 1
    assert total(found, "palimpsest_conclusions_total", what="explicit") >= 1
    assert total(found, "palimpsest_fold_seconds_count", group="prompt") >= 1
    assert total(found, "palimpsest_log_head") > 0
    assert SECRET not in str(found)
    assert said not in str(found)


def test_asking_is_quick(server):
    with httpx.Client(base_url=server.url) as client:
        client.get("/metrics")
        times = []
        for _ in range(30):
            begun = time.perf_counter()
            assert client.get("/metrics").status_code == 200
            times.append(time.perf_counter() - begun)
    assert sorted(times)[len(times) // 2] < 0.1  # about 5 ms where it is alone
