"""A server whose models are a stub: it concludes, sums up, answers, and fails well."""

import json
import re
import uuid
from functools import partial

import pytest

from tests.support.command import until
from tests.support.load import plain_client
from tests.support.openai_stub import openai_stub
from tests.support.server import running
from tests.support.stub_replies import Answer

WITHIN = 90.0


@pytest.fixture(scope="module")
def stub():
    with openai_stub(key="k") as running_stub:
        yield running_stub


@pytest.fixture(scope="module")
def server(stub, tmp_path_factory):
    data = tmp_path_factory.mktemp("models") / "data"
    settings = {
        "LLM_OPENAI_BASE_URL": stub.url,
        "LLM_OPENAI_API_KEY": "k",
        "EMBEDDING_MODEL_CONFIG__OVERRIDES__BASE_URL": stub.url,
        "EMBEDDING_MODEL_CONFIG__OVERRIDES__API_KEY": "k",
        "DERIVER_FLUSH_ENABLED": "true",
        "LLM_PRICES": '{"gpt-5.4-mini": {"input": 1000, "output": 0}}',
    }
    with running(data, settings) as started:
        yield started


@pytest.fixture
def http(server, stub):
    stub.forget()
    stub.otherwise = thinking
    with plain_client(server.url) as client:
        yield client


@pytest.fixture
def at():
    return f"/v3/workspaces/models-{uuid.uuid4().hex[:8]}"


def thinking(call):
    """Conclude what each line says, sum up in a word, answer with another."""
    if "response_format" in call.body:
        _, _, told = call.text.partition("The peers:")
        peers = re.findall(r"^- (\S+)$", told, re.MULTILINE)
        lines = re.findall(r"^\[(\d+)\] \S+ \S+ (\S+): I (.*)$", told, re.MULTILINE)
        facts = [
            {
                "peer": peer,
                "content": f"{peer} told: I {words}",
                "evidence": [int(number)],
            }
            for number, peer, words in lines
            if peer in peers
        ]
        return json.dumps({"explicit": facts})
    return "Summed up." if "At most" in call.text else "Answered. [[sources: none]]"


def say(http, at, *words, session="s", **more):
    body = {"messages": [{"peer_id": "ann", "content": each} | more for each in words]}
    answer = http.post(f"{at}/sessions/{session}/messages", json=body)
    assert answer.status_code == 201, answer.text
    return [each["id"] for each in answer.json()]


def concluded(http, at):
    answer = http.post(f"{at}/conclusions/list", json={})
    return [each["content"] for each in answer.json()["items"]]


def pending(http, at):
    return http.get(f"{at}/queue/status").json()["pending_work_units"]


eventually = partial(until, within=WITHIN)


def test_what_is_said_is_concluded_by_the_model(server, http, at):
    say(http, at, "I grow tomatoes.")
    assert eventually(lambda: concluded(http, at)) == ["ann told: I grow tomatoes."]
    told = http.post(f"{at}/peers/ann/representation", json={}).json()
    assert "ann told: I grow tomatoes." in told["representation"]
    asked = {
        "query": "Who grows tomatoes?",
        "filters": {"observer_id": "ann", "observed_id": "ann"},
    }
    [near] = eventually(lambda: http.post(f"{at}/conclusions/query", json=asked).json())
    assert near["content"] == "ann told: I grow tomatoes."
    assert "conclusions: openai/gpt-5.4-mini" in server.log()
    assert "vectors: openai/text-embedding-3-small (1,536 dimensions)" in server.log()


def test_what_the_model_took_and_made_up_is_told_with_what_it_concluded(http, stub, at):
    true = {"content": "ann told: I sail.", "evidence": [1, 77]}
    false = {"content": "ann owns a yacht", "evidence": [78]}
    stub.otherwise = json.dumps({"explicit": [true, false]})
    [first, _] = say(http, at, "I sail.", "And I swim.")
    eventually(lambda: not pending(http, at))
    [own] = http.post(f"{at}/conclusions/list", json={}).json()["items"]
    told = http.get(f"{at}/conclusions/{own['id']}/lineage").json()
    assert [each["id"] for each in told["messages"]] == [first]
    made = told["derivation"]
    assert (made["refused"], made["invented"], made["requests"]) == (1, 2, 1)
    assert made["cost_usd"] == pytest.approx(made["usage"]["input"] / 1_000)
    assert made["latency_ms"] > 0
    assert (made["prompt"], len(made["prompt_hash"])) == ("derive_conclusions", 64)


def test_summaries_are_the_models(http, at):
    say(http, at, *[f"Number {n}." for n in range(20)])
    summary = eventually(
        lambda: http.get(f"{at}/sessions/s/summaries").json()["short_summary"]
    )
    assert summary["content"] == "Summed up."


def test_a_model_without_a_word_keeps_no_summary_pending(http, stub, at):
    stub.otherwise = lambda call: "" if "At most" in call.text else thinking(call)
    say(http, at, *[f"Number {n}." for n in range(20)])
    eventually(lambda: not pending(http, at))
    assert http.get(f"{at}/sessions/s/summaries").json()["short_summary"] is None
    stub.otherwise = thinking
    say(http, at, *[f"Number {n}." for n in range(20)])
    eventually(lambda: http.get(f"{at}/sessions/s/summaries").json()["short_summary"])


def test_many_waiting_messages_are_one_call(http, stub, at):
    say(http, at, *[f"I own {n} books." for n in range(100)])
    eventually(lambda: len(concluded(http, at)) == 50 and not pending(http, at))
    calls = [each for each in stub.chats if "The peers:\n- ann" in each.text]
    assert 1 <= len(calls) <= 3


@pytest.mark.parametrize("nonsense", ["ok", "", "{}", "[1]", '```json\n{"a": 1}\n```'])
def test_what_is_no_answer_stops_nobody_and_is_not_pending_for_ever(
    http, stub, at, nonsense
):
    stub.otherwise = lambda c: nonsense if "I mumble" in c.text else thinking(c)
    say(http, at, "I mumble.", session="broken")
    eventually(lambda: [c for c in stub.chats if "I mumble" in c.text])
    say(http, at, "I sail.", session="whole")
    eventually(lambda: concluded(http, at) == ["ann told: I sail."])
    eventually(lambda: not pending(http, at))
    # Asked three times, and each time to mend its answer.
    assert len([c for c in stub.chats if "I mumble" in c.text]) in {6, 7}
    say(http, at, "I sing.", session="broken")
    eventually(lambda: "ann told: I sing." in concluded(http, at))


def test_facts_without_numbers_of_lines_are_concluded_too(http, stub, at):
    stub.otherwise = '{"explicit": [{"content": "ann has a boat"}]}'
    said = say(http, at, "I sail.", "I own what I sail.")
    eventually(lambda: concluded(http, at) == ["ann has a boat"])
    eventually(lambda: not pending(http, at))
    assert len(said) == 2


def test_while_the_model_is_down_messages_wait(http, stub, at):
    stub.otherwise = Answer(status=500)
    say(http, at, "I wait.")
    eventually(lambda: stub.chats)
    assert pending(http, at) >= 1
    assert http.get("/health").status_code == 200
    assert concluded(http, at) == []
    stub.otherwise = thinking
    eventually(lambda: concluded(http, at) == ["ann told: I wait."])


def test_what_is_said_again_in_other_words_is_one_conclusion_with_all_it_rests_on(
    http, at
):
    """Vectors of texts that share nearly all their words are near one another."""
    told = "spend every single summer evening down by the river with friends and a"
    told += " guitar singing very old songs until it gets dark and cold outside"
    first = say(http, at, f"I {told}.")
    eventually(lambda: not pending(http, at))
    more = say(http, at, f"I {told} again.")
    eventually(lambda: not pending(http, at))
    [held] = http.post(f"{at}/conclusions/list", json={}).json()["items"]
    assert held["content"] == f"ann told: I {told} again."
    lineage = http.get(f"{at}/conclusions/{held['id']}/lineage").json()
    assert [each["id"] for each in lineage["messages"]] == [*first, *more]
    say(http, at, f"I {told} twice in 2024.", f"I {told} twice in 2025.")
    eventually(lambda: not pending(http, at))
    # One of them says it once more; another year is another fact.
    assert len(concluded(http, at)) == 2


def test_what_was_passed_over_is_listed_and_derived_when_it_is_redriven(http, stub, at):
    stub.otherwise = lambda call: "no answer" if "The peers" in call.text else "x"
    say(http, at, "I grow tomatoes.")
    eventually(lambda: not pending(http, at))
    [listed] = http.get(f"{at}/derivations").json()["items"]
    assert (listed["session_id"], listed["first"], listed["last"]) == ("s", 1, 1)
    assert (listed["state"], listed["attempt"]) == ("passed-over", 3)
    assert (listed["error"], listed["retry_at"]) == ("malformed", None)

    stub.otherwise = thinking
    asked = http.post(f"{at}/sessions/s/derivation/redrive")
    assert asked.json()["redriven"] == [{"first": 1, "last": 1}]
    assert eventually(lambda: concluded(http, at)) == ["ann told: I grow tomatoes."]
    eventually(lambda: not pending(http, at))
    assert http.get(f"{at}/derivations").json()["items"] == []
    then = {"as_of": asked.headers["x-position"]}
    [listed] = http.get(f"{at}/derivations", params=then).json()["items"]
    assert listed["state"] == "redriven"
    again = http.post(f"{at}/sessions/s/derivation/redrive").json()
    assert again == {"waiting": None, "redriven": []}


def test_what_fails_is_listed_and_tried_at_once_when_it_is_redriven(http, stub, at):
    stub.otherwise = lambda _: Answer(status=400)
    say(http, at, "I sail.")
    [listed] = eventually(lambda: http.get(f"{at}/derivations").json()["items"])
    assert listed["state"] == "failing"
    assert listed["error"].startswith("refused")
    assert listed["retry_at"] > listed["since"]
    assert pending(http, at) == 1
    stub.otherwise = thinking
    asked = http.post(f"{at}/sessions/s/derivation/redrive").json()
    assert asked["redriven"] == []
    assert eventually(lambda: concluded(http, at)) == ["ann told: I sail."]
    eventually(lambda: not http.get(f"{at}/derivations").json()["items"])


def test_a_short_conversation_is_derived_when_it_is_old_enough(stub, tmp_path):
    """With the gates of RS 1.4, over a restart: nothing of them is kept in memory."""
    stub.forget()
    stub.otherwise = thinking
    settings = {
        "LLM_OPENAI_BASE_URL": stub.url,
        "LLM_OPENAI_API_KEY": "k",
        "DERIVER_REPRESENTATION_BATCH_MAX_AGE_SECONDS": "15",
    }
    at = "/v3/workspaces/old"
    with (
        running(tmp_path / "data", settings) as server,
        plain_client(server.url) as http,
    ):
        say(http, at, "I am brief.")
        say(http, at, "I am done.")
        assert pending(http, at) == 2
        assert not stub.chats
        say(http, at, "I am in a hurry.", session="now")
        flushed = http.post(f"{at}/sessions/now/derivation/flush").json()
        assert flushed == {"waiting": {"first": 1, "last": 1}, "redriven": []}
        eventually(lambda: "ann told: I am in a hurry." in concluded(http, at))
        again = http.post(f"{at}/sessions/now/derivation/flush").json()
        assert again == {"waiting": None, "redriven": []}
        assert http.post(f"{at}/sessions/no/derivation/flush").status_code == 404
    with (
        running(tmp_path / "data", settings) as server,
        plain_client(server.url) as http,
    ):
        told = eventually(lambda: not pending(http, at) and concluded(http, at))
    assert sorted(told) == [
        "ann told: I am brief.",
        "ann told: I am done.",
        "ann told: I am in a hurry.",
    ]
    assert len(stub.chats) == 2


def test_who_switches_reasoning_off_by_default_may_ask_for_it(stub, tmp_path):
    stub.forget()
    stub.otherwise = thinking
    settings = {
        "DERIVER_ENABLED": "false",
        "LLM_OPENAI_BASE_URL": stub.url,
        "LLM_OPENAI_API_KEY": "k",
        "DERIVER_FLUSH_ENABLED": "true",
    }
    with (
        running(tmp_path / "data", settings) as server,
        plain_client(server.url) as http,
    ):
        say(http, "/v3/workspaces/off", "I am quiet.")
        wanted = {"configuration": {"reasoning": {"enabled": True}}}
        say(http, "/v3/workspaces/off", "I speak up.", **wanted)
        told = eventually(lambda: concluded(http, "/v3/workspaces/off"))
        assert told == ["ann told: I speak up."]
