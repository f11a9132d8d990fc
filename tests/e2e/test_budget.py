"""A workspace's budget for models, from the outside: it stops, says so, and goes on."""

import json
import os
import subprocess
import time
import uuid
from functools import partial

import pytest
from honcho import Honcho
from honcho.http.exceptions import HonchoError

from tests.support.command import until
from tests.support.load import plain_client
from tests.support.openai_stub import openai_stub
from tests.support.server import palimpsest, running

WITHIN = 60.0
FACTS = {"content": "ann drinks tea", "evidence": [1]}
USED_UP = "budget used up: "


def thinking(call):
    if "response_format" in call.body:
        return json.dumps({"explicit": [FACTS]})
    return "Tea. [[sources: none]]"


@pytest.fixture(scope="module")
def stub():
    with openai_stub(key="k") as stub:
        stub.otherwise = thinking
        yield stub


@pytest.fixture(scope="module")
def server(stub, tmp_path_factory):
    data = tmp_path_factory.mktemp("budget") / "data"
    settings = {
        "LLM_OPENAI_BASE_URL": stub.url,
        "LLM_OPENAI_API_KEY": "k",
        "DERIVER_FLUSH_ENABLED": "true",
        "BUDGET_RETRY_SECONDS": "1",
        "LLM_PRICES": '{"gpt-5.4-mini": {"input": 1, "output": 2}}',
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
    return f"/v3/workspaces/budget-{uuid.uuid4().hex[:8]}"


def capped(http, at, **budget):
    name = at.rpartition("/")[2]
    http.post("/v3/workspaces", json={"id": name})
    answer = http.put(at, json={"configuration": {"budget": budget}})
    assert answer.status_code == 200, answer.text
    return answer.json()


def say(http, at, words="I drink tea."):
    said = {"messages": [{"peer_id": "ann", "content": words}]}
    assert http.post(f"{at}/sessions/s/messages", json=said).status_code == 201


def concluded(http, at):
    found = http.post(f"{at}/conclusions/list", json={}).json()
    return [each["content"] for each in found["items"]]


eventually = partial(until, within=WITHIN)


def test_what_waits_for_a_budget_goes_on_when_it_is_raised(http, at, stub, server):
    capped(http, at, max_tokens=10)
    say(http, at)
    status = eventually(
        lambda: (told := http.get(f"{at}/queue/status").json()).get("budget") and told
    )
    assert status["budget"].startswith(f"{USED_UP}0 of 10 tokens this month; renews")
    assert status["pending_work_units"] == 1
    assert stub.chats == []
    waiting = ran(server, "status", "--json")["waiting"]
    assert any(each["reason"].startswith(USED_UP) for each in waiting)

    capped(http, at, max_tokens=100_000)
    eventually(lambda: concluded(http, at) == ["ann drinks tea"])
    assert len(stub.chats) == 1
    eventually(lambda: http.get(f"{at}/usage").json()["totals"]["calls"] == 1)
    # It waits no longer once what was done is put on record, behind what it did.
    eventually(lambda: "budget" not in http.get(f"{at}/queue/status").json())
    [conclusion] = http.post(f"{at}/conclusions/list", json={}).json()["items"]
    path = f"{at}/conclusions/{conclusion['id']}/lineage"
    [call] = http.get(path).json()["derivation"]["call_ids"]
    trail = shown(server, "events", "--json").splitlines()
    [told] = [each for each in trail if "llm-call-recorded" in each]
    assert json.loads(told)["event"]["id"] == call
    assert "derivation-failed" not in shown(server, "events", "--json")


@pytest.mark.parametrize("path", ["peers/ann/chat", "chat"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_question_without_budget_is_a_402_that_says_why(http, at, stub, path, stream):
    capped(http, at, max_cost_usd=0.000001)
    asked = {"query": "What does she drink?", "stream": stream}
    answer = http.post(f"{at}/{path}", json=asked)
    assert answer.status_code == 402
    assert answer.json()["detail"].startswith(
        f"{USED_UP}0.00 of 0.000001 USD this month; renews"
    )
    assert "retry-after" not in answer.headers
    assert stub.chats == []


def test_the_sdk_raises_at_once_and_says_the_status(server, http, at, stub):
    capped(http, at, max_tokens=1)
    honcho = Honcho(base_url=server.url, workspace_id=at.rpartition("/")[2])
    for ask in (
        honcho.peer("ann").chat,
        lambda q: list(honcho.peer("b").chat_stream(q)),
    ):
        with pytest.raises(HonchoError) as raised:
            ask("What?")
        assert raised.value.status == 402
    assert stub.chats == []
    honcho._http.close()


def test_usage_is_summed_up_by_what_is_asked_and_as_it_was(http, at, server):
    answer = http.post(f"{at}/peers/ann/chat", json={"query": "What?"})
    assert answer.json()["content"] == "Tea."
    first = eventually(lambda: (u := usage(http, at))["totals"]["calls"] == 1 and u)
    position = http.get(f"{at}/usage").headers["x-position"]
    http.post(f"{at}/peers/bob/chat", json={"query": "What?"})
    eventually(lambda: usage(http, at)["totals"]["calls"] == 2)

    [row] = usage(http, at)["items"]
    assert (row["key"], row["calls"]) == ("dialectic.answer", 2)
    assert row["cost_usd"] == row["input_tokens"] / 1e6 + row["output_tokens"] * 2 / 1e6
    assert row["unpriced_calls"] == row["failed_calls"] == 0
    for group, keys in {
        "peer": ["ann", "bob"],
        "model": ["openai/gpt-5.4-mini"],
        "day": [time.strftime("%Y-%m-%d", time.gmtime())],
    }.items():
        found = usage(http, at, group_by=group)
        assert [each["key"] for each in found["items"]] == keys
        assert found["totals"]["calls"] == 2
    page = usage(http, at, group_by="peer", size=1, page=2)
    assert [each["key"] for each in page["items"]] == ["bob"]
    assert (page["total"], page["pages"]) == (2, 2)
    assert usage(http, at, peer_id="ann")["totals"]["calls"] == 1
    assert usage(http, at, last_day="2026-01-01")["totals"]["calls"] == 0
    past = usage(http, at, as_of=position)
    assert (past["items"], past["totals"]) == (first["items"], first["totals"])
    assert past["budget"]["state"] == "no cap"

    [told] = ran(server, "usage", "--workspace", at.rpartition("/")[2], "--json")
    assert told["totals"] == usage(http, at)["totals"]
    table = shown(server, "usage", "--by", "model")
    assert "openai/gpt-5.4-mini" in table
    assert "no budget is set" in table


def usage(http, at, **query):
    answer = http.get(f"{at}/usage", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    "budget", [{"max_cost_usd": -1}, {"max_tokens": "many"}, {"max_tokens": -5}, 3]
)
def test_a_budget_that_is_none_is_refused(http, at, budget):
    sent = {"configuration": {"budget": budget}}
    assert http.put(at, json=sent).status_code == 422


def test_a_budget_is_answered_as_it_was_set_and_taken_back(http, at):
    assert capped(http, at, max_tokens=7)["configuration"] == {
        "budget": {"max_tokens": 7}
    }
    assert usage(http, at)["budget"]["max_tokens"] == 7
    assert usage(http, at)["budget"]["state"] == "open"
    capped(http, at)
    assert usage(http, at)["budget"]["state"] == "no cap"


def test_a_cap_in_money_wants_prices_of_all_models_at_the_start(tmp_path):
    command = palimpsest("up", "--port", "0", "--data", str(tmp_path / "data"))
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        timeout=120,
        text=True,
        env=environment(LLM_OPENAI_API_KEY="k", BUDGET_MAX_COST_USD="1"),
    )
    assert done.returncode != 0
    assert "the model gpt-5.4-mini has no price" in done.stderr


def environment(**settings):

    return os.environ | settings


def shown(server, *arguments):
    done = subprocess.run(
        palimpsest(*arguments, "--data", str(server.data)),
        capture_output=True,
        check=True,
        timeout=120,
        text=True,
    )
    return done.stdout


def ran(server, *arguments):
    return json.loads(shown(server, *arguments))
