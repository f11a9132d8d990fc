"""CloudEvents: what events tell, made once, sent in order and within bounds."""

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.call import LLMCallRecorded
from domain.derivation import DerivationCompleted
from domain.event import Call, Engine
from domain.question import QuestionAnswered, ToolUsed, Trace
from domain.recorded import Cause, Recorded
from infra.postgres.commit import Commit
from infra.settings import Settings, SettingsUnusable
from infra.telemetry.emitter import Emitter, EmitterLimits
from infra.telemetry.emitting import start_emitter
from infra.telemetry.envelopes import Envelopes
from infra.telemetry.observers import Answer
from infra.telemetry.told_requests import ToldRequests
from tests.support.log import said
from tests.support.receiver import receiving

SECRET = "what nobody may read"  # noqa: S105  a mark
ENGINE = Engine(name="openai", version="1", usage={"input": 70, "output": 7})
AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
QUICK = {"interval": 0.02, "pause": 0.01}


def recorded(event, position=1, cause=None):
    return Recorded(
        position=position,
        stream="s",
        version=position,
        tenant="w",
        shard=0,
        recorded_at=AT,
        id=uuid4(),
        cause=cause or Cause(actor="t", correlation_id=uuid4()),
        event=event,
    )


def commit(*recorded_):
    return Commit(list(recorded_), 1, 0.001)


def call(run="", number=0):
    return LLMCallRecorded(
        workspace="w",
        id=f"c{number}",
        feature="dialectic.answer",
        form="complete",
        outcome="answered",
        transport="openai",
        model="tiny",
        call=Call(latency_ms=3, cost_usd_micros=12),
        finished_at=AT,
        usage={"input": 5, "output": 2},
        run=run,
    )


def answered():
    tools = (
        ToolUsed(
            iteration=1, tool="search_memory", chars=900, shown=500, messages=("a",)
        ),
        ToolUsed(iteration=1, tool="grep_messages"),
        ToolUsed(iteration=2, tool="search_memory", error=True),
    )
    return QuestionAnswered(
        workspace="w",
        id="q1",
        peer="ann",
        target="ann",
        session=None,
        question=SECRET,
        answer=SECRET,
        conclusions=(),
        messages=(),
        level="low",
        as_of=1,
        answered_at=AT,
        engine=ENGINE,
        trace=Trace(run="run-1", iterations=3, ended="answered", tools=tools),
        inputs=(SECRET,),
    )


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


class Sending:
    """An emitter of a receiver, and what it counted."""

    def __init__(self, receiver, path="/events", **limits):
        self.counts = Counter()
        self.receiver = receiver
        self.path = path
        self.emitter = Emitter(
            receiver.url(path),
            {"x-key": "k"},
            Envelopes("school", "9.9"),
            EmitterLimits(**(QUICK | limits)),
            lambda what, of, count: self.counts.update({(what, of): count}),
        )

    async def until(self, what, count):
        async with asyncio.timeout(60):
            while self.total(what) < count:  # noqa: ASYNC110  a thread's socket
                await asyncio.sleep(0.005)

    def total(self, what):
        return sum(count for (each, _), count in self.counts.items() if each == what)

    @property
    def heard(self):
        return [
            event
            for each in self.receiver.at(self.path)
            for event in json.loads(each.body)
        ]


async def test_messages_of_one_request_are_one_event(receiver):
    sending = Sending(receiver)
    together, alone = (Cause(actor="c", correlation_id=uuid4()) for _ in range(2))
    events = [
        recorded(said(SECRET, seq=1), 1, together),
        recorded(said(SECRET, seq=2), 2, together),
        recorded(said(SECRET, seq=3), 3, alone),
    ]
    async with AsyncExitStack() as running:
        await sending.emitter.start(running)
        sending.emitter.committed(commit(*events))
        await sending.until("emitted", 2)
    two, one = sending.heard
    assert (two["data"]["message_count"], one["data"]["message_count"]) == (2, 1)
    assert two["id"] == str(events[1].id)
    assert two["type"] == "message.created"
    assert two["source"] == "/palimpsest/school/message"
    assert two["dataschema"] == "urn:palimpsest:telemetry:message.created:1"
    assert (two["specversion"], two["serverversion"]) == ("1.0", "9.9")
    [post] = receiver.at("/events")
    assert post.headers["content-type"] == "application/cloudevents-batch+json"
    assert post.headers["x-key"] == "k"
    assert SECRET not in str(receiver.heard)


async def test_an_answer_tells_its_run_step_by_step(receiver):
    sending = Sending(receiver)
    event = recorded(answered())
    async with AsyncExitStack() as running:
        await sending.emitter.start(running)
        sending.emitter.committed(commit(event))
        sending.emitter.committed(commit(event))
        await sending.until("emitted", 12)
    heard = sending.heard
    assert [each["type"] for each in heard[:6]] == [
        "dialectic.completed",
        *["agent.iteration"] * 2,
        *["agent.tool.call.completed"] * 3,
    ]
    assert {each["data"]["run_id"] for each in heard} == {"run-1"}
    first = heard[0]["data"]
    assert (first["tool_calls_count"], first["input_tokens"]) == (3, 70)
    used = heard[3]["data"]
    assert (used["result_chars_before"], used["truncated"]) == (900, True)
    # Told twice, they are known by their ids.
    ids = [each["id"] for each in heard]
    assert ids[:6] == ids[6:]
    assert len(set(ids)) == 6
    assert ids[0] == str(event.id)
    assert all(each.startswith("evt_") for each in ids[1:6])
    assert SECRET not in str(receiver.heard)


async def test_windows_and_calls_are_told_as_they_are_recorded(receiver):
    sending = Sending(receiver)
    window = DerivationCompleted(
        workspace="w",
        session="s",
        first_seq=3,
        last_seq=7,
        handled={"ann": 4},
        conclusions=("a", "b"),
        engine=ENGINE,
    )
    async with AsyncExitStack() as running:
        await sending.emitter.start(running)
        sending.emitter.committed(commit(recorded(window), recorded(call())))
        await sending.until("emitted", 2)
    derived, called = sending.heard
    assert derived["type"] == "representation.completed"
    assert derived["data"]["message_count"] == 5
    assert derived["data"]["explicit_conclusion_count"] == 2
    assert called["type"] == "llm.call.completed"
    assert called["data"]["outcome"] == "success"
    assert called["data"]["cost_usd_micros"] == 12


async def test_batches_are_bounded_and_in_order(receiver):
    sending = Sending(receiver, batch=10, threshold=5)
    async with AsyncExitStack() as running:
        for number in range(35):
            sending.emitter.committed(commit(recorded(call(number=number))))
        await sending.emitter.start(running)
        await sending.until("emitted", 35)
    sizes = [len(json.loads(each.body)) for each in receiver.at("/events")]
    assert sizes == [10, 10, 10, 5]
    assert len({each["id"] for each in sending.heard}) == 35
    assert [each["time"] for each in sending.heard] == sorted(
        each["time"] for each in sending.heard
    )


async def test_the_oldest_makes_way(receiver):
    sending = Sending(receiver, buffer=3)
    events = [recorded(call(number=number)) for number in range(5)]
    for each in events:
        sending.emitter.committed(commit(each))
    assert len(sending.emitter) == 3
    assert sending.counts["dropped", "buffer_full"] == 2
    async with AsyncExitStack() as running:
        await sending.emitter.start(running)
        await sending.until("emitted", 3)
    assert [each["id"] for each in sending.heard] == [str(e.id) for e in events[2:]]


async def test_a_batch_is_tried_again_and_then_dropped(receiver):
    receiver.answers["/flaky"] = [500, 429, 200]
    receiver.answers["/dead"] = [503]
    receiver.answers["/wrong"] = [400]
    for path, tried, outcome in (
        ("/flaky", 3, ("emitted", "llm.call.completed")),
        ("/dead", 3, ("dropped", "send_failed")),
        ("/wrong", 1, ("dropped", "send_failed")),
    ):
        sending = Sending(receiver, path)
        async with AsyncExitStack() as running:
            await sending.emitter.start(running)
            sending.emitter.committed(commit(recorded(call())))
            await sending.until(outcome[0], 1)
        assert sending.counts[outcome] == 1, path
        posts = receiver.at(path)
        assert len(posts) == tried
        assert len({each.body for each in posts}) == 1


async def test_what_waits_at_the_end_is_sent(receiver):
    sending = Sending(receiver, interval=60)
    async with AsyncExitStack() as running:
        await sending.emitter.start(running)
        sending.emitter.committed(commit(recorded(call())))
    assert len(sending.heard) == 1


async def test_what_is_being_tried_at_the_end_is_tried_once_more(receiver):
    receiver.answers["/events"] = [503, 200]
    sending = Sending(receiver, pause=60)
    async with AsyncExitStack() as running:
        await sending.emitter.start(running)
        for number in range(3):
            sending.emitter.committed(commit(recorded(call(number=number))))
        async with asyncio.timeout(60):
            while not receiver.heard:  # noqa: ASYNC110  a thread's socket
                await asyncio.sleep(0.005)
    first, last = (json.loads(each.body) for each in receiver.at("/events"))
    assert first == last
    assert sending.counts["emitted", "llm.call.completed"] == 3
    assert not sending.total("dropped")


async def test_a_path_that_can_be_no_name_is_not_told(receiver):
    sending = Sending(receiver)
    scope = {
        "state": {},
        "headers": [],
        "query_string": b"tokens=7&search_query=" + SECRET.replace(" ", "+").encode(),
        "path_params": {"workspace": "w", "peer": SECRET},
    }
    endpoint = "/v3/workspaces/{workspace}/peers/{peer}/context"
    told = Answer(method="GET", endpoint=endpoint, status=200, seconds=0.1)
    ToldRequests(sending.emitter).begin(scope)(told)
    async with AsyncExitStack() as running:
        await sending.emitter.start(running)
        await sending.until("emitted", 1)
    [event] = sending.heard
    assert event["data"]["workspace_name"] == "w"
    assert (event["data"]["tokens"], event["data"]["search_query_given"]) == (7, True)
    assert SECRET not in str(receiver.heard)


def test_a_namespace_cannot_break_the_source():
    told = Envelopes('a b/"\n', "9").write("i", "dream.run", 1, AT, {})
    assert json.loads(told)["source"] == "/palimpsest/a%20b%2F%22%0A/dream"


@pytest.mark.parametrize("headers", ['{"x-key": "ü"}', '{"ü": "k"}', '{"x": 1}', "[]"])
async def test_headers_nobody_can_send_are_named_at_the_start(headers):
    settings = Settings(
        _env_file=None,
        telemetry_enabled=True,
        telemetry_endpoint="http://localhost:1",
        telemetry_headers=headers,
    )
    async with AsyncExitStack() as running:
        with pytest.raises(SettingsUnusable, match="TELEMETRY_HEADERS"):
            await start_emitter(settings, lambda *_: None, running)


async def test_an_endpoint_that_hangs_holds_up_nobody(receiver):
    sending = Sending(receiver, "/slow", buffer=10)
    begun = asyncio.get_running_loop().time()
    async with AsyncExitStack() as running:
        await sending.emitter.start(running)
        for number in range(50):
            sending.emitter.committed(commit(recorded(call(number=number))))
            await asyncio.sleep(0)
        assert len(sending.emitter) <= 10
    assert asyncio.get_running_loop().time() - begun < 15


async def test_runs_are_sampled_whole(receiver):
    sending = Sending(receiver, sample_rate=0.5)
    for run in range(40):
        for number in range(3):
            sending.emitter.committed(commit(recorded(call(f"run-{run}", number))))
    sending.emitter.committed(commit(recorded(said("hello"))))
    async with AsyncExitStack() as running:
        await sending.emitter.start(running)
        await sending.until("emitted", 121 - sending.total("sampled_out"))
    runs = Counter(
        each["data"]["run_id"]
        for each in sending.heard
        if each["type"] == "llm.call.completed"
    )
    assert set(runs.values()) == {3}
    assert 5 < len(runs) < 35
    assert [e for e in sending.heard if e["type"] == "message.created"]
