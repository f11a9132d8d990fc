"""A server whose first models are down: another vendor's stand in, and it is told."""

import re
from functools import partial

import pytest

from tests.support.anthropic_stub import anthropic_stub
from tests.support.command import until
from tests.support.load import plain_client
from tests.support.openai_stub import openai_stub
from tests.support.server import running
from tests.support.stub_replies import Answer

WITHIN = 60.0
AT = "/v3/workspaces/standing-in"


@pytest.fixture(scope="module")
def stubs():
    with openai_stub("k") as down, anthropic_stub("a") as other:
        down.otherwise = lambda _: Answer(status=500)
        other.otherwise = thinking
        yield down, other


@pytest.fixture(scope="module")
def http(stubs, tmp_path_factory):
    down, other = stubs
    config = {"MODEL": "first", "FALLBACK": '{"model": "anthropic/claude"}'}
    settings = {
        f"{feature}_MODEL_CONFIG__{name}": value
        for feature in ("DERIVER", "SUMMARY")
        for name, value in config.items()
    }
    settings |= {
        "LLM_OPENAI_BASE_URL": down.url,
        "LLM_OPENAI_API_KEY": "k",
        "LLM_ANTHROPIC_BASE_URL": other.url,
        "LLM_ANTHROPIC_API_KEY": "a",
        "DERIVER_FLUSH_ENABLED": "true",
        "SUMMARY_MESSAGES_PER_SHORT_SUMMARY": "2",
    }
    data = tmp_path_factory.mktemp("standing-in") / "data"
    with running(data, settings) as server, plain_client(server.url) as client:
        yield client


def thinking(call):
    """Conclude what each line says, by the tool that has to be used; or sum up."""
    forced = (call.body.get("tool_choice") or {}).get("name")
    if forced is None:
        return "Summed up."
    lines = re.findall(r"^\[(\d+)\] \S+ \S+ ann: I (.*)$", call.text, re.MULTILINE)
    facts = [
        {"peer": "ann", "content": f"ann told: I {words}", "evidence": [int(number)]}
        for number, words in lines
    ]
    return Answer(calls=((forced, {"explicit": facts}),))


eventually = partial(until, within=WITHIN)


def test_what_the_first_cannot_the_second_derives_and_sums_up(http, stubs):
    said = ["I sail.", "I swim."]
    body = {"messages": [{"peer_id": "ann", "content": each} for each in said]}
    http.post(f"{AT}/sessions/s/messages", json=body).raise_for_status()

    def concluded():
        items = http.post(f"{AT}/conclusions/list", json={}).json()["items"]
        return items if len(items) == len(said) else None

    found = eventually(concluded)
    assert {each["content"] for each in found} == {f"ann told: {each}" for each in said}
    told = http.get(f"{AT}/conclusions/{found[0]['id']}/lineage").json()["derivation"]
    assert (told["engine"], told["model"]) == ("anthropic", "claude")
    assert told["requests"] >= 2
    summary = eventually(
        lambda: http.get(f"{AT}/sessions/s/summaries").json()["short_summary"]
    )
    assert summary["content"] == "Summed up."
    down, other = stubs
    assert len(down.chats) == len(other.chats)
