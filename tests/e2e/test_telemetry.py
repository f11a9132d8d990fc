"""A server with all telemetry on, failing models, and those who receive what it tells.

Nobody's words and no secret are in any of it.
"""

import gzip
import json
import uuid
from functools import partial

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.test_models import eventually, say, thinking
from tests.support.load import plain_client
from tests.support.openai_stub import openai_stub
from tests.support.receiver import receiving
from tests.support.server import running
from tests.support.stub_replies import Answer

SECRET = "xyzzy-secret"  # noqa: S105  a mark


@pytest.fixture(scope="module")
def stub():
    with openai_stub(key=f"{SECRET}-model-key") as running_stub:
        running_stub.otherwise = thinking
        yield running_stub


@pytest.fixture(scope="module")
def receiver():
    """Who receives traces, events, webhooks and errors, by path."""
    with receiving() as running_receiver:
        yield running_receiver


@pytest.fixture(scope="module")
def server(stub, receiver, tmp_path_factory):
    data = tmp_path_factory.mktemp("telemetry") / "data"
    settings = {
        "LLM_OPENAI_BASE_URL": stub.url,
        "LLM_OPENAI_API_KEY": f"{SECRET}-model-key",
        "DERIVER_FLUSH_ENABLED": "true",
        "NAMESPACE": "school",
        "METRICS_ENABLED": "true",
        "LOG_REQUESTS": "true",
        "WEBHOOK_SECRET": f"{SECRET}-webhooks",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url("/otel"),
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{SECRET}-otel",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "SENTRY_ENABLED": "true",
        "SENTRY_DSN": f"http://key@127.0.0.1:{receiver.port}/7",
        "SENTRY_TRACES_SAMPLE_RATE": "1",
        "TELEMETRY_ENABLED": "true",
        "TELEMETRY_ENDPOINT": receiver.url("/events"),
        "TELEMETRY_HEADERS": f'{{"x-key": "{SECRET}-events"}}',
        "TELEMETRY_FLUSH_INTERVAL_SECONDS": "0.1",
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
    work = {"workspace_name": name, "task_type": "representation"}
    done = partial(total, name="deriver_queue_items_processed_total", **work)
    eventually(lambda: done(series(http)))
    found = series(http)
    assert all(dict(labels)["namespace"] == "school" for _, labels in found)
    assert total(found, "messages_created_total", workspace_name=name) == 1
    posted = {"endpoint": "/v3/workspaces/{workspace}/sessions/{session}/messages"}
    assert total(found, "api_requests_total", **posted, status_code="201") >= 1
    assert done(found) == 1
    assert total(found, "palimpsest_conclusions_total", what="explicit") >= 1
    assert total(found, "palimpsest_fold_seconds_count", group="prompt") >= 1
    assert total(found, "palimpsest_log_head") > 0
    assert SECRET not in str(found)
    assert said not in str(found)


def spans_of(receiver, trace):
    """All spans of a trace that were received, and that they carry no words."""
    found = {}
    for heard in receiver.at("/otel/v1/traces"):
        assert heard.headers["authorization"] == f"Bearer {SECRET}-otel"
        assert SECRET.encode() not in heard.body
        request = ExportTraceServiceRequest.FromString(heard.body)
        for each in request.resource_spans:
            for scope in each.scope_spans:
                for span in scope.spans:
                    if span.trace_id.hex() == trace:
                        found[span.span_id.hex()] = span
    return found


def way_up(found, span):
    """The names from a span up to the first one made here, and what that is below."""
    names = []
    while span is not None:
        names.append(span.name)
        above = span.parent_span_id.hex()
        span = found.get(above)
    return names, above


POST = "POST /v3/workspaces/{workspace}/sessions/{session}/messages"

STEPS = {
    f"append < {POST}",
    "fold prompt < append",
    "fold lagging < append",
    "derive_conclusions < append",
    "chat gpt-5.4-mini < derive_conclusions",
    "append < derive_conclusions",
    "embed_memory < append",
    "embeddings all-minilm-l6-v2-int8 < embed_memory",
    "append < embed_memory",
    "webhook < append",
}
"""What becomes of a message, each below what it follows from."""


def test_one_trace_follows_a_message_through_every_consumer(http, at, receiver):
    path = f"/hooks/{uuid.uuid4().hex[:8]}"
    http.post(f"{at}/sessions", json={"id": "s"})
    http.post(f"{at}/webhooks", json={"url": receiver.url(path)})
    trace, sender = uuid.uuid4().hex, "b7ad6b7169203331"
    said = {"peer_id": "ann", "content": f"I own a boat named {SECRET}."}
    posted = http.post(
        f"{at}/sessions/s/messages",
        json={"messages": [said]},
        headers={"traceparent": f"00-{trace}-{sender}-01"},
    )
    assert posted.status_code == 201

    def complete():
        """A span is sent when it ends, before those it is below."""
        found = spans_of(receiver, trace)
        ways = [way_up(found, span) for span in found.values()]
        steps = {" < ".join(names[:2]) for names, _ in ways}
        ends = {(names[-1], above) for names, above in ways}
        return found if steps >= STEPS and ends == {(POST, sender)} else None

    found = eventually(complete)
    longest = max((way_up(found, each)[0] for each in found.values()), key=len)
    assert longest.count("append") >= 3  # said, concluded, embedded
    [delivery, *_] = eventually(lambda: receiver.at(path))
    assert delivery.headers["traceparent"][3:35] == trace
    span = delivery.headers["traceparent"][36:52]
    eventually(lambda: span in spans_of(receiver, trace))


def events_of(receiver, workspace):
    """All CloudEvents that tell of a workspace, by type; they carry no words."""
    found = {}
    for heard in receiver.at("/events"):
        assert heard.headers["x-key"] == f"{SECRET}-events"
        assert SECRET.encode() not in heard.body
        for each in heard.told:
            if each["data"]["workspace_name"] == workspace:
                found.setdefault(each["type"], []).append(each)
    return found


def test_cloud_events_tell_what_happened_once(http, at, receiver):
    name = at.rpartition("/")[2]
    say(http, at, f"I own a boat named {SECRET}.", "I like it.")
    eventually(lambda: concluded(http, at))
    http.get(f"{at}/sessions/s/context?tokens=500&search_query={SECRET}")
    asked = http.post(f"{at}/peers/ann/chat", json={"query": f"What of {SECRET}?"})
    assert asked.status_code == 200, asked.text
    wanted = {
        *("message.created", "representation.completed", "dialectic.completed"),
        *("embedding.call.completed", "context.retrieved"),
    }
    found = eventually(
        lambda: (got := events_of(receiver, name)).keys() >= wanted and got
    )
    [told] = found["message.created"]
    assert told["data"]["message_count"] == 2
    assert told["source"] == "/palimpsest/school/message"
    [context] = found["context.retrieved"]
    assert context["data"]["tokens"] == 500
    assert context["data"]["search_query_given"]
    ids = [each["id"] for events in found.values() for each in events]
    assert len(ids) == len(set(ids))


FAILING = (
    Answer(status=500),
    Answer(status=429, retry_after="0"),
    Answer(text=f'{{"explicit": [{{"content": "{SECRET}"'),
    Answer(text=f"{SECRET}, and no JSON"),
    Answer(refusal=SECRET),
)
"""Ways a model fails, some of them quoting what it was told."""


def busy(http, at, stub):
    """Do all that a client may, well and badly, with words that must not be told."""
    stub.script(*FAILING)
    say(http, at, *(f"I own {n} boats named {SECRET}." for n in range(3)))
    http.get(f"{at}/sessions/s/context?search_query={SECRET}")
    http.post(f"{at}/search", json={"query": SECRET})
    http.post(f"{at}/sessions/s/messages", content=f'{{"{SECRET}": '.encode())
    http.post(f"{at}/sessions/s/messages", json={"messages": [{"content": SECRET}]})
    http.get(f"{at}/conclusions/none/lineage")
    http.put(f"{at}/peers/ann", json={"metadata": {"note": SECRET}})
    http.put(f"{at}/peers/ann/card", json={"peer_card": [f"Likes {SECRET}"]})
    http.post(
        f"{at}/sessions/s/messages/upload",
        files={"file": (f"{SECRET}.txt", SECRET.encode(), "text/plain")},
        data={"peer_id": "ann"},
    )
    for stream in (False, True):
        stub.script(Answer(status=500), Answer(text=SECRET, broken_after=1))
        asked = {"query": f"What of {SECRET}?", "stream": stream}
        http.post(f"{at}/peers/ann/chat", json=asked, timeout=120)
    stub.otherwise = thinking
    held = eventually(lambda: concluded(http, at))
    retracted = f"{at}/conclusions/{held[0]['id']}/retract"
    http.post(retracted, json={"reason": SECRET})
    http.delete(f"{at}/sessions/s")


def test_nothing_that_is_told_quotes_anybody(server, http, at, stub, receiver):
    busy(http, at, stub)
    name = at.rpartition("/")[2]
    eventually(lambda: "deletion.completed" in events_of(receiver, name))
    log = server.log()
    lines = [json.loads(line) for line in log.splitlines()]
    assert SECRET not in log
    ours = [each for each in lines if each.get("tenant") == name]
    assert {"request", "trace", "endpoint", "status"} <= ours[0].keys()
    assert [each for each in lines if each["level"] == "WARNING"], "none failed"
    assert SECRET not in http.get("/metrics").text
    heard = [each for each in receiver.heard if not each.path.startswith("/hooks")]
    assert {each.path for each in heard} == {
        *("/otel/v1/traces", "/events", "/api/7/envelope/"),
    }
    for each in heard:
        zipped = each.headers.get("content-encoding") == "gzip"
        body = gzip.decompress(each.body) if zipped else each.body
        assert SECRET.encode() not in body, each.path
