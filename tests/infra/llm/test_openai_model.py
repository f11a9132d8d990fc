"""The OpenAI adapter over a socket: what is sent, what comes back, what goes wrong."""

import asyncio
import json
import logging

import pytest
from pydantic import SecretStr

from infra.llm.client import open_client
from infra.llm.endpoint import Endpoint
from infra.llm.openai_model import OpenAIModel
from infra.llm.patience import Patience
from infra.settings.model_choice import ModelChoice
from processors.language_model import (
    Completion,
    JsonSchema,
    Malformed,
    ModelRefused,
    Prompt,
    Turn,
    Unavailable,
    Usage,
)
from tests.support.openai_stub import Answer

ASKED = Prompt(
    turns=(Turn("system", "Be brief."), Turn("user", "Tea or coffee?")), max_tokens=100
)
SCHEMA = JsonSchema(
    "drink",
    {
        "type": "object",
        "properties": {"drink": {"type": "string"}},
        "required": ["drink"],
        "additionalProperties": False,
    },
)


async def streamed(model, prompt=ASKED, schema=None):
    """Everything a stream yields."""
    return [each async for each in model.stream(prompt, schema)]


async def test_a_completion_has_text_model_and_what_it_cost(model, stub):
    stub.script("Green tea.")
    assert await model.complete(ASKED) == Completion(
        text="Green tea.", model="gpt-5.4-mini", usage=Usage(input=5, output=2)
    )
    [call] = stub.chats
    assert call.body == {
        "model": "gpt-5.4-mini",
        "max_completion_tokens": 100,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Tea or coffee?"},
        ],
    }
    assert call.headers["authorization"] == "Bearer secret"
    assert "openai-organization" not in call.headers


async def test_what_is_configured_is_sent(model_of, stub):
    model = model_of(
        model="openai/llama",
        temperature=0.5,
        top_p=0.9,
        seed=7,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        stop_sequences=["END"],
        max_output_tokens=50,
        thinking_effort="low",
    )
    await model.complete(ASKED)
    [call] = stub.chats
    del call.body["messages"]
    assert call.body == {
        "model": "llama",
        "max_tokens": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "stop": ["END"],
        "reasoning_effort": "low",
    }
    assert model.parameters["seed"] == "7"


async def test_a_stream_yields_pieces_and_then_the_whole(model, stub):
    stub.script("Green tea, please.")
    *pieces, whole = await streamed(model)
    assert pieces == ["Green", " tea,", " please."]
    assert whole == Completion(
        text="Green tea, please.",
        model="gpt-5.4-mini",
        usage=Usage(input=5, output=3),
    )


@pytest.mark.parametrize("clean", [True, False])
async def test_a_stream_that_breaks_off_is_no_answer(model, stub, clean):
    stub.script("a", Answer("a b c d", broken_after=2, clean=clean))
    await streamed(model)
    stream = model.stream(ASKED)
    assert [await anext(stream), await anext(stream)] == ["a", " b"]
    with pytest.raises(Unavailable):
        await anext(stream)
    assert len(stub.chats) == 2


async def test_an_endpoint_that_does_not_stream_is_asked_for_the_whole(model, stub):
    whole = b'{"choices": [{"message": {"content": "Green tea."}}]}'
    stub.script(Answer(body=whole), Answer(body=whole))
    text, completion = await streamed(model)
    assert (text, completion.text) == ("Green tea.", "Green tea.")
    assert [call.body.get("stream", False) for call in stub.chats] == [True, False]
    assert completion.call.attempts == 2


async def test_streams_of_an_endpoint_that_never_says_when_it_is_done_are(model, stub):
    stub.script(Answer("Green tea.", broken_after=2, clean=True))
    assert (await streamed(model))[-1].text == "Green tea."


async def test_a_stream_may_end_without_saying_why(model, stub):
    stub.script(Answer("Green tea.", finish=""))
    assert (await streamed(model))[-1].text == "Green tea."


async def test_leaving_a_stream_ends_the_call(model, stub):
    stub.script(Answer("a b c", held_after=1))
    stream = model.stream(ASKED)
    assert await anext(stream) == "a"
    await stream.aclose()
    assert await asyncio.to_thread(stub.chats[0].left.wait, 5)


async def test_what_passes_is_tried_again(model, stub):
    stub.script(Answer(status=500), Answer(status=429, retry_after="0"), "Tea.")
    assert (await model.complete(ASKED)).text == "Tea."
    assert len(stub.chats) == 3
    stub.script(Answer(status=503), "Tea.")
    assert (await streamed(model))[0] == "Tea."


async def test_three_times_is_enough(model, stub):
    stub.otherwise = lambda _: Answer(status=500)
    with pytest.raises(Unavailable) as raised:
        await model.complete(ASKED)
    assert raised.value.retry_after is None
    assert len(stub.chats) == 3


async def test_a_provider_that_wants_long_peace_gets_it(model, stub):
    stub.script(Answer(status=429, retry_after="120"))
    with pytest.raises(Unavailable) as raised:
        await model.complete(ASKED)
    assert raised.value.retry_after == 120
    assert len(stub.chats) == 1


@pytest.mark.parametrize(
    ("status", "code"), [(401, None), (404, None), (429, "insufficient_quota")]
)
async def test_what_a_person_must_mend_is_not_tried_again(model, stub, status, code):
    stub.script(Answer(status=status, code=code))
    with pytest.raises(Unavailable) as raised:
        await model.complete(ASKED)
    assert raised.value.retry_after == 300
    assert len(stub.chats) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(status=400, code="content_filter"), "content_filter"),
        (Answer(status=400, code="not a word!"), "status 400"),
        (Answer(refusal="I will not."), "content_filter"),
        (Answer("half", finish="content_filter"), "content_filter"),
    ],
)
async def test_a_refusal_is_final(model, stub, answer, reason):
    stub.script(answer, answer)
    with pytest.raises(ModelRefused) as raised:
        await model.complete(ASKED)
    assert raised.value.reason == reason
    assert raised.value.in_vain.call.attempts == 1
    with pytest.raises(ModelRefused):
        await streamed(model)
    assert len(stub.chats) == 2


@pytest.mark.parametrize("body", [b'{"choices": []}', b'{"half', b"[]", b"null"])
async def test_nonsense_is_no_answer(model, stub, body):
    stub.otherwise = lambda _: Answer(body=body)
    with pytest.raises(Unavailable):
        await model.complete(ASKED)


async def test_silence_is_given_up(stub):
    stub.script(Answer(stall=True), "Tea.")
    endpoint = Endpoint(api_key=SecretStr("secret"), base_url=stub.url, timeout=60)
    brief = Patience(shortest=0, whole=2)
    async with open_client(endpoint) as client:
        model = OpenAIModel(client, ModelChoice(), {}, brief)
        assert (await model.complete(ASKED)).text == "Tea."
    assert stub.chats[0].left.wait(60)


async def test_what_no_text_can_hold_is_taken_out(model, stub):
    stub.script("A\x00 \ud800.", "A\x00 \ud800.", '{"drink": "\\u0000"}')
    assert (await model.complete(ASKED)).text == "A ?."
    assert (await streamed(model))[-1].text == "A ?."
    stub.script('{"drink": "\\ud800"}')
    with pytest.raises(Malformed):
        await model.structured(ASKED, SCHEMA)


async def test_what_a_server_calls_its_model_can_be_recorded(stub):
    endpoint = Endpoint(api_key=SecretStr("secret"), base_url=stub.url, timeout=60)
    async with open_client(endpoint) as client:
        model = OpenAIModel(client, ModelChoice(model="m\x001"), {})
        assert (await model.complete(ASKED)).model == "m1"
        assert (await streamed(model))[-1].model == "m1"


async def test_an_answer_cut_short_says_so(model, stub):
    stub.script(Answer("Green", finish="length"))
    assert (await model.complete(ASKED)).finish == "length"


async def test_a_value_of_a_schema_is_asked_for_strictly(model, stub):
    stub.script('{"drink": "tea"}')
    structured = await model.structured(ASKED, SCHEMA)
    assert structured.value == {"drink": "tea"}
    [call] = stub.chats
    assert call.body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "drink", "schema": SCHEMA.schema, "strict": True},
    }


async def test_what_strict_would_refuse_is_asked_for_without_it(model, stub):
    loose = JsonSchema("drink", {"type": "object", "properties": {}}, {"shown": True})
    await model.structured(ASKED, loose)
    form = stub.chats[0].body["response_format"]["json_schema"]
    assert (form["strict"], form["schema"]) == (True, {"shown": True})
    stub.script('{"drink": "tea"}')
    await model.structured(ASKED, JsonSchema("d", {"type": "object"}))
    assert stub.chats[1].body["response_format"]["json_schema"]["strict"] is False


async def test_prose_around_a_value_is_no_harm(model, stub):
    stub.script('Here:\n```json\n{"drink": "tea"}\n```')
    assert (await model.structured(ASKED, SCHEMA)).value == {"drink": "tea"}
    assert len(stub.chats) == 1


@pytest.mark.parametrize("wrong", ['{"drink": 1}', '{"drink": "te', "Tea."])
async def test_what_does_not_fit_is_repaired_once(model, stub, wrong):
    stub.script(wrong, '{"drink": "tea"}')
    structured = await model.structured(ASKED, SCHEMA)
    assert structured.value == {"drink": "tea"}
    assert structured.completion.usage.calls == 2
    assert stub.chats[1].body["messages"][2]["content"] == wrong
    stub.script(wrong, wrong)
    with pytest.raises(Malformed):
        await model.structured(ASKED, SCHEMA)


async def test_an_endpoint_without_schemas_gets_them_in_words(model, stub):
    stub.script(Answer(status=400), '{"drink": "tea"}', '{"drink": "tea"}')
    structured = await model.structured(ASKED, SCHEMA)
    assert structured.value == {"drink": "tea"}
    assert structured.completion.call.attempts == 2
    assert (await streamed(model, schema=SCHEMA))[-1].text == '{"drink": "tea"}'
    for call in stub.chats[1:]:
        assert call.body["response_format"] == {"type": "json_object"}
        assert json.dumps(SCHEMA.schema) in call.body["messages"][0]["content"]


async def test_a_stream_may_be_of_a_schema(model, stub):
    stub.script('{"drink": "tea"}')
    assert (await streamed(model, schema=SCHEMA))[-1].text == '{"drink": "tea"}'
    assert stub.chats[0].body["response_format"]["type"] == "json_schema"


async def test_what_is_said_never_reaches_a_log(model, stub, caplog):
    caplog.set_level(logging.DEBUG)
    stub.script("A secret answer.", Answer(status=400))
    await model.complete(ASKED)
    with pytest.raises(ModelRefused) as raised:
        await model.complete(ASKED)
    for said in ("Tea or", "secret"):
        assert said not in caplog.text
        assert said not in str(raised.value)
