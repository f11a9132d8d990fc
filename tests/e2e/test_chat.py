"""Chat through the published Python SDK, offline and on a model behind a stub."""

import asyncio
import contextlib
import json
import time
import uuid

import httpx
import pytest
from honcho import Honcho
from honcho.http.exceptions import HonchoError
from pydantic import BaseModel

from tests.support.openai_stub import Answer, openai_stub
from tests.support.server import running


class Drinks(BaseModel):
    """What an answer is wanted as."""

    summary: str
    favourite: str | None = None
    cups: int | None = None


@pytest.fixture(scope="module")
def stub():
    with openai_stub("secret") as stub:
        yield stub


@pytest.fixture(scope="module")
def on_a_model(tmp_path_factory, stub):
    """A server whose chat, and nothing else, runs on the stub."""
    data = tmp_path_factory.mktemp("chat") / "data"
    level = {"OVERRIDES": {"API_KEY": "secret", "BASE_URL": stub.url}}
    levels = ("minimal", "low", "medium", "high", "max")
    environment = {
        "DIALECTIC_LEVELS": json.dumps(
            {name: {"MODEL_CONFIG": level} for name in levels}
        )
    }
    with running(data, environment) as server:
        yield server


@contextlib.contextmanager
def connected(server):
    client = Honcho(
        base_url=server.url, workspace_id=f"chat-{uuid.uuid4().hex[:8]}", max_retries=0
    )
    yield client
    client._http.close()


def remember(honcho):
    """Have Ann say what she drinks; return her once it can be found."""
    ann = honcho.peer("ann")
    session = honcho.session("breakfast")
    session.add_messages(ann.message("I drink green tea every morning."))
    deadline = time.monotonic() + 90
    while not ann.conclusions.query("tea"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return ann


@pytest.fixture
def honcho(server):
    with connected(server) as client:
        yield client


@pytest.fixture
def modelled(on_a_model, stub):
    stub.forget()
    with connected(on_a_model) as client:
        yield client


def test_offline_both_chats_answer_stream_and_fill_forms(honcho):
    ann = remember(honcho)
    for who in (ann, honcho):
        answer = who.chat("What does ann drink?")
        assert "green tea" in answer
        assert "".join(who.chat_stream("What does ann drink?")) == answer
        filled = who.chat("What does ann drink?", response_format=Drinks)
        assert "green tea" in filled.summary
        assert filled.cups is None
        told = who.chat("What does ann drink?", include_evidence=True)
        assert told.content == answer
        assert told.evidence.conclusions[0].observed_id == "ann"
        assert told.evidence.messages[0].peer_id == "ann"
        stream = who.chat_stream("What does ann drink?", include_evidence=True)
        assert "".join(stream) == answer
        assert stream.evidence.conclusions == told.evidence.conclusions


def test_on_a_model_both_chats_answer_stream_and_fill_forms(modelled, stub):
    ann = remember(modelled)
    for who in (ann, modelled):
        stub.script("Green tea.\n[[sources: c1]]", "Green tea, each morning.")
        told = who.chat("What does ann drink?", include_evidence=True)
        assert told.content == "Green tea."
        assert "green tea" in told.evidence.conclusions[0].content
        assert "ann drinks green tea every morning." in stub.chats[-1].text
        pieces = list(who.chat_stream("What does ann drink?"))
        assert pieces == ["Green", " tea,", " each", " morning."]
        stub.script('{"summary": "Green tea."}')
        filled = who.chat("What does ann drink?", response_format=Drinks)
        assert filled == Drinks(summary="Green tea.")
        assert '"title": "Drinks"' in stub.chats[-1].text
        stub.script("Green tea.", '{"summary": "Green tea, mended."}')
        filled = who.chat("What does ann drink?", response_format=Drinks)
        assert filled == Drinks(summary="Green tea, mended.")
        form = stub.chats[-1].body["response_format"]
        assert form["json_schema"]["schema"]["title"] == "Drinks"


def test_x58_an_empty_answer_is_null_and_none_to_the_sdk(modelled, on_a_model, stub):
    stub.otherwise = lambda _: Answer("")
    assert modelled.peer("ann").chat("What?") is None
    path = f"/v3/workspaces/{modelled.workspace_id}/peers/ann/chat"
    answer = httpx.post(on_a_model.url + path, json={"query": "What?"}, timeout=120)
    assert answer.text == '{"content":null}'


def test_on_a_model_cards_history_and_levels_are_told(modelled, stub):
    ann = remember(modelled)
    ann.set_card(["Name: Ann"])
    ann.chat("What?", session="breakfast", reasoning_level="minimal")
    call = stub.chats[-1]
    assert call.body["max_completion_tokens"] == 250
    assert "- Name: Ann" in call.text
    assert "ann: I drink green tea every morning." in call.text
    ann.chat("What?")
    assert stub.chats[-1].body["max_completion_tokens"] == 8_192
    assert "The newest messages" not in stub.chats[-1].text
    modelled.set_configuration({"peer_card": {"use": False}})
    ann.chat("What?")
    assert "Name: Ann" not in stub.chats[-1].text


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Answer(status=429, retry_after="60"), 503),
        (Answer(status=401), 503),
        (Answer(status=400, code="content_filter"), 500),
    ],
)
def test_a_failing_provider_is_told_as_it_is(modelled, stub, failure, status):
    stub.otherwise = lambda _: failure
    ann = modelled.peer("ann")
    with pytest.raises(HonchoError) as raised:
        ann.chat("What?")
    assert raised.value.status == status
    assert list(ann.chat_stream("What?")) == []
    stub.otherwise = lambda _: Answer("Green tea.", broken_after=1)
    assert list(ann.chat_stream("What?")) == ["Green"]


def test_what_never_fits_its_form_is_a_500(modelled, stub):
    stub.script("no", "no", "no")
    with pytest.raises(HonchoError) as raised:
        modelled.peer("ann").chat("What?", response_format=Drinks)
    assert raised.value.status == 500


async def test_a_client_that_leaves_ends_the_providers_work(on_a_model, stub):
    stub.forget()
    stub.script(Answer("Green tea.", held_after=1))
    path = f"{on_a_model.url}/v3/workspaces/left/peers/ann/chat"
    sent = {"query": "What?", "stream": True}
    async with (
        httpx.AsyncClient(timeout=120) as client,
        client.stream("POST", path, json=sent) as answer,
    ):
        first = await anext(answer.aiter_lines())
        assert json.loads(first.removeprefix("data: "))["delta"] == {"content": "Green"}
    assert await asyncio.to_thread(stub.chats[0].left.wait, 60)


@pytest.mark.parametrize(
    "away", [Answer(status=401), Answer(status=429, retry_after="60")]
)
def test_no_client_is_told_to_sleep_for_minutes(on_a_model, stub, away):
    stub.forget()
    stub.otherwise = away
    path = f"{on_a_model.url}/v3/workspaces/w-{uuid.uuid4().hex[:8]}/peers/ann/chat"
    answer = httpx.post(path, json={"query": "Tea?"}, timeout=120)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
