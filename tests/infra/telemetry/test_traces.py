"""Spans: one tree a story, over requests, appends, folds, deliveries and calls."""

import time
from uuid import UUID, uuid4

import pytest
from httpx import ASGITransport, AsyncClient
from litestar import Litestar, Request, get
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from commands.decide import Reason
from commands.watched import Watched
from domain.message import Draft, add_messages
from domain.names import session_stream
from domain.recorded import Cause
from domain.session import Session, evolve_session
from infra.delivery import Delivery, FeedLimits
from infra.http.correlation import correlation_of, trace_parent_of
from infra.settings import Settings
from infra.telemetry.doors import Doors
from infra.telemetry.traced_calls import TracedModel, TracedSender
from infra.telemetry.traces import Traces
from infra.telemetry.tracing import provider_of, tracing
from processors.following import cause_of
from processors.language_model import Completion, Prompt, Purpose, Turn, Usage
from processors.processor import Batch, Done
from processors.sending import Sent
from tests.support.projecting import projecting
from tests.support.reactions import SAID_AT, memory, opened

__all__ = ["memory", "opened"]

SECRET = "what nobody may read"  # noqa: S105  a mark
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
OTHER = "00-1bf7651916cd43dd8448eb211c80319d-c7ad6b7169203332-01"
UNSENT = f"00-{TRACE}-b7ad6b7169203331-00"


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def traces(exporter):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Traces(provider.get_tracer("test"))


def spans(exporter):
    return {each.name: each for each in exporter.get_finished_spans()}


def span_id(parent):
    return int(parent[36:52], 16)


@get("/things", sync_to_thread=False)
def things(request: Request) -> dict:
    scope = request.scope
    return {"parent": trace_parent_of(scope), "story": str(correlation_of(scope))}


@get("/broken", sync_to_thread=False)
def broken() -> None:
    raise ValueError(SECRET)


@get("/health", sync_to_thread=False)
def health() -> None:
    return None


@pytest.fixture
async def http(traces):
    app = Litestar([things, broken, health], openapi_config=None, logging_config=None)
    transport = ASGITransport(Doors(app, [traces.requests]))
    async with AsyncClient(transport=transport, base_url="http://t") as client:
        yield client


async def test_a_request_goes_on_from_its_traceparent(http, exporter):
    answer = (await http.get("/things", headers={"traceparent": PARENT})).json()
    span = spans(exporter)["GET /things"]
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.parent.span_id == span_id(PARENT)
    assert span_id(answer["parent"]) == span.context.span_id
    assert UUID(answer["story"]).hex == TRACE
    assert span.attributes["http.response.status_code"] == 200


async def test_a_request_without_one_begins_a_trace(http, exporter):
    answer = (await http.get("/things")).json()
    span = spans(exporter)["GET /things"]
    assert span.parent is None
    assert UUID(answer["story"]).int == span.context.trace_id


async def test_what_its_sender_does_not_trace_is_not_sent_and_goes_on(http, exporter):
    answer = (await http.get("/things", headers={"traceparent": UNSENT})).json()
    assert spans(exporter) == {}
    assert answer["parent"].startswith(f"00-{TRACE}-")
    assert answer["parent"].endswith("-00")


async def test_probes_are_untold_and_failures_say_no_words(http, exporter):
    await http.get("/health")
    await http.get("/broken", headers={"traceparent": PARENT})
    [span] = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert SECRET not in span.to_json()


async def say(memory, parent, text="hello"):
    """Say something in the story of a traceparent."""
    draft = Draft(
        id=uuid4().hex[:21],
        author="alice",
        content=text,
        metadata={},
        created_at=SAID_AT,
        tokens=1,
        derive=True,
        short_every=None,
        long_every=None,
    )
    stream = session_stream("w", "s")
    cause = Cause(actor="client", correlation_id=uuid4(), trace_parent=parent)
    appended = await memory.decide(
        "w",
        [Watched(stream, Session(), evolve_session)],
        lambda states: {stream: add_messages(states[0], ("w", "s"), [draft])},
        Reason(cause),
    )
    return appended.recorded[0]


async def test_an_append_is_what_its_events_go_on_from(memory, traces, exporter):
    memory.log.follow_appends(traces.appending)
    told = await say(memory, PARENT, SECRET)
    span = spans(exporter)["append"]
    assert span.parent.span_id == span_id(PARENT)
    assert span_id(told.cause.trace_parent) == span.context.span_id
    assert span.attributes["palimpsest.position.last"] == told.position
    [stored] = await memory.recorded()
    assert stored.cause.trace_parent == told.cause.trace_parent
    assert SECRET not in span.to_json()


async def test_an_append_that_failed_is_told_and_ended(memory, traces, exporter):
    memory.log.follow_appends(traces.appending)
    [told] = await memory.say("one")
    with pytest.raises(LookupError):
        await memory.decide("w", [], lambda _: _raise(), Reason(cause_of("test", told)))
    assert exporter.get_finished_spans() == ()


def _raise():
    raise LookupError


async def test_folds_are_below_what_they_fold(memory, database, traces, exporter):
    memory.log.follow_appends(traces.appending)
    async with projecting(memory.log, database.dsn()) as (prompt, _):
        prompt.tell([traces.folds("prompt")])
        told = await say(memory, PARENT)
        await say(memory, None)
        assert await prompt.wait_for(told.position + 1, 60)
    fold = spans(exporter)["fold prompt"]
    assert fold.parent.span_id == span_id(told.cause.trace_parent)
    assert fold.end_time > fold.start_time


class Answering:
    """A model that answers, or fails quoting somebody."""

    transport = "openai"
    model = "tiny"
    parameters = {}

    def __init__(self, error=None):
        self.error = error

    async def complete(self, _prompt):
        if self.error is not None:
            raise self.error
        return Completion(text=SECRET, model="tiny-1", usage=Usage(input=5, output=2))

    async def stream(self, _prompt, _schema=None):
        yield SECRET
        yield await self.complete(None)


PROMPT = Prompt(
    turns=(Turn("user", SECRET),),
    max_tokens=9,
    purpose=Purpose(workspace="w", feature="deriver.representation"),
)


async def test_what_a_delivery_does_is_below_what_it_was_handed(
    memory, traces, exporter
):
    memory.log.follow_appends(traces.appending)
    one, two = await say(memory, PARENT), await say(memory, OTHER)
    silent = await say(memory, None)
    exporter.clear()
    written = []

    class Reacting:
        name = "react"
        handles = ()

        async def __call__(self, batch):
            await TracedModel(Answering(), traces).complete(PROMPT)
            for event in batch.events:
                parent = cause_of("react", event).trace_parent
                written.append(await say(memory, parent))
            return Done()

    deliver = Delivery(Reacting(), FeedLimits(), [traces.deliveries])
    assert await deliver(Batch("w/s", (one, two, silent)), 0) is None
    found = exporter.get_finished_spans()
    [model] = [each for each in found if each.name == "chat tiny"]
    first, second = (
        next(
            each
            for each in found
            if each.name == "react" and f"{each.context.trace_id:032x}" in parent
        )
        for parent in (PARENT, OTHER)
    )
    assert first.parent.span_id == span_id(one.cause.trace_parent)
    assert second.parent.span_id == span_id(two.cause.trace_parent)
    assert [each.context.span_id for each in second.links] == [first.context.span_id]
    assert model.parent.span_id == first.context.span_id
    assert model.attributes["gen_ai.usage.input_tokens"] == 5
    appends = {each.context.span_id: each for each in found if each.name == "append"}
    for event, span in zip(written, (first, second), strict=False):
        append = appends[span_id(event.cause.trace_parent)]
        assert append.parent.span_id == span.context.span_id
    assert written[2].cause.trace_parent is None
    assert not any(SECRET in each.to_json() for each in found)


async def test_a_stream_that_is_left_is_a_span_that_ended(traces, exporter):
    stream = TracedModel(Answering(), traces).stream(PROMPT)
    assert await anext(stream) == SECRET
    await stream.aclose()
    [span] = exporter.get_finished_spans()
    assert span.attributes["error.type"] == "GeneratorExit"


async def test_a_failing_model_is_its_type_and_never_its_words(traces, exporter):
    with pytest.raises(ValueError, match=SECRET):
        await TracedModel(Answering(ValueError(SECRET)), traces).complete(PROMPT)
    [span] = exporter.get_finished_spans()
    assert span.attributes["error.type"] == "ValueError"
    assert SECRET not in span.to_json()


async def test_who_hears_a_webhook_goes_on_from_its_span(traces, exporter):
    heard = []

    class Sending:
        async def send(self, url, _body, trace_parent=None):
            heard.append((url, trace_parent))
            return Sent(200)

    await TracedSender(Sending(), traces).send(f"http://x/{SECRET}", b"{}", PARENT)
    [span] = exporter.get_finished_spans()
    [(_, parent)] = heard
    assert span_id(parent) == span.context.span_id
    assert span.parent.span_id == span_id(PARENT)
    assert SECRET not in span.to_json()


@pytest.mark.parametrize(
    ("sampler", "argument", "sent"),
    [
        ("always_off", 1.0, 0),
        ("parentbased_always_on", 1.0, 20),
        ("traceidratio", 0.0, 0),
        ("parentbased_traceidratio", 1.0, 20),
    ],
)
def test_samplers_are_the_standard_ones(exporter, sampler, argument, sent):
    settings = Settings(otel_traces_sampler=sampler, otel_traces_sampler_arg=argument)
    provider = provider_of(settings, exporter)
    for _ in range(20):
        provider.get_tracer("t").start_span("x").end()
    provider.shutdown()
    assert len(exporter.get_finished_spans()) == sent


async def test_a_collector_that_is_away_disturbs_nobody():
    settings = Settings(otel_exporter_otlp_endpoint="http://127.0.0.1:9")
    begun = time.monotonic()
    async with tracing(settings, "http://127.0.0.1:9/v1/traces") as traces:
        for _ in range(5_000):  # more than its queue holds
            with traces.calling("x", {}):
                pass
        assert time.monotonic() - begun < 60
    assert time.monotonic() - begun < 60
