"""A server whose models are real: it derives, sums up, answers, and recovers.

What is asserted is form: that what is concluded rests on words that were said, that
answers and summaries are there and recorded, that nothing is lost. Not wisdom.
"""

import json
import time
import uuid

import pytest

from tests.support.live_models import LOCAL
from tests.support.load import plain_client
from tests.support.server import running

pytestmark = pytest.mark.live

WITHIN = 600.0
"""Seconds for work of a small model on a busy machine."""

SAID = (
    "I live in Lisbon and I like green tea.",
    "My sister Bea plays the cello.",
    "I swim every Monday.",
    "Last week I bought a red bicycle.",
)


TALKATIVE = {
    "DERIVER_MODEL_CONFIG__TEMPERATURE": "0.7",
    "DERIVER_MODEL_CONFIG__FREQUENCY_PENALTY": "1",
    "DERIVER_MODEL_CONFIG__SEED": "0",
    "DERIVER_MODEL_CONFIG__OVERRIDES__PROVIDER_PARAMS": json.dumps(
        {"extra_body": {"logit_bias": [["[]", False], [" []", False]]}}
    ),
}
"""Keeps the small model from saying that there is nothing to say: it makes up facts
that rest on lines nobody said, which is what has to be caught."""


@pytest.fixture(scope="module")
def settings(live):
    model = f"{live.transport}/{live.model}"
    chosen = {
        "DERIVER_MODEL_CONFIG__MODEL": model,
        "DERIVER_MODEL_CONFIG__MAX_OUTPUT_TOKENS": "160",
        "DERIVER_FLUSH_ENABLED": "true",
        "SUMMARY_MODEL_CONFIG__MODEL": model,
        "SUMMARY_MESSAGES_PER_SHORT_SUMMARY": "4",
        "SUMMARY_MAX_TOKENS_SHORT": "60",
        "DREAM_ENABLED": "false",
        "DIALECTIC_LEVELS__MINIMAL__MODEL_CONFIG__MODEL": model,
        "DIALECTIC_LEVELS__MINIMAL__MAX_OUTPUT_TOKENS": "60",
        "LLM_RETRY_MAX_WAIT_SECONDS": "4",
    }
    return live.environment | chosen | (TALKATIVE if live.model == LOCAL else {})


@pytest.fixture(scope="module")
def server(settings, tmp_path_factory):
    with running(tmp_path_factory.mktemp("live") / "data", settings) as started:
        yield started


@pytest.fixture
def http(server):
    with plain_client(server.url) as client:
        client.timeout = WITHIN
        yield client


@pytest.fixture
def at():
    return f"/v3/workspaces/live-{uuid.uuid4().hex[:8]}"


def say(http, at, *words, peer="ann", session="s"):
    body = {"messages": [{"peer_id": peer, "content": each} for each in words]}
    answer = http.post(f"{at}/sessions/{session}/messages", json=body)
    assert answer.status_code == 201, answer.text
    return [each["id"] for each in answer.json()]


def done(http, at):
    status = http.get(f"{at}/queue/status").json()
    return status["pending_work_units"] == status["in_progress_work_units"] == 0


def eventually(what):
    deadline = time.monotonic() + WITHIN
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def conclusions(http, at):
    return http.post(f"{at}/conclusions/list", json={}).json()["items"]


def check_grounds(http, at, said, live):
    """Whatever was concluded rests on what was said, by the model that was set."""
    found = conclusions(http, at)
    for each in found:
        assert each["content"].strip()
        told = http.get(f"{at}/conclusions/{each['id']}/lineage").json()
        assert {m["id"] for m in told["messages"]} <= set(said)
        assert told["messages"]
        made = told["derivation"]
        assert made["engine"] == live.transport
        assert made["usage"]["input"] > 0
        assert len(made["prompt_hash"]) == 64
    return found


def test_what_is_said_is_derived_and_summed_up(http, at, live):
    said = say(http, at, *SAID)
    eventually(lambda: done(http, at))
    found = check_grounds(http, at, said, live)
    assert http.get(f"{at}/queue/status").json()["completed_work_units"] >= 1
    summary = http.get(f"{at}/sessions/s/summaries").json()["short_summary"]
    assert summary["content"].strip()
    assert summary["message_id"] in said
    print(f"{len(found)} conclusions; summed up: {summary['content'][:80]!r}")


def test_a_question_is_answered(http, at):
    say(http, at, *SAID[:2])
    eventually(lambda: done(http, at))
    asked = {"query": "What does ann like?", "reasoning_level": "minimal"}
    answer = http.post(f"{at}/peers/ann/chat", json=asked)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json()["content"], str)
    with http.stream(
        "POST", f"{at}/peers/ann/chat", json=asked | {"stream": True}
    ) as s:
        assert s.status_code == 200
        told = s.read().decode()
    assert '"done"' in told


def test_while_the_model_is_gone_work_waits_and_then_completes(http, at, live, request):
    if live.model != LOCAL:
        pytest.skip("a provider cannot be killed")
    llama = request.getfixturevalue("llama")
    said = say(http, at, SAID[0])
    llama.kill()
    said += say(http, at, SAID[1], session="t")
    asked = {"query": "What does ann like?", "reasoning_level": "minimal"}
    answer = http.post(f"{at}/peers/ann/chat", json=asked)
    assert answer.status_code == 503
    assert not done(http, at)
    assert http.get("/health").status_code == 200
    llama.start()
    eventually(lambda: done(http, at))
    check_grounds(http, at, said, live)
    assert http.post(f"{at}/peers/ann/chat", json=asked).status_code == 200
