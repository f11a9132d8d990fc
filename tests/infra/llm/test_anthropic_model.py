"""The Anthropic adapter over a socket: what is sent, and what comes back of thought."""

import json

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from infra.llm.anthropic_client import open_anthropic
from infra.llm.anthropic_model import AnthropicModel
from infra.llm.endpoint import Endpoint
from infra.settings.model_choice import ModelChoice
from processors.language_model import (
    JsonSchema,
    Prompt,
    ToolCall,
    Turn,
    Unavailable,
)
from tests.contracts.language_model import (
    ASKED,
    DRINKS,
    PATIENCE,
    TEA,
    WANTED,
    failure,
    streamed,
)
from tests.support.anthropic_stub import anthropic_stub
from tests.support.stub_replies import Answer

LONG = replace(ASKED, max_tokens=4_000)


@pytest.fixture
def stub():
    with anthropic_stub("secret") as stub:
        yield stub


@pytest.fixture
async def model_of(stub):
    """Make a model of this choice."""
    endpoint = Endpoint(api_key=SecretStr("secret"), base_url=stub.url)
    async with open_anthropic(endpoint, PATIENCE) as client:

        def made(body=None, **chosen):
            choice = {"transport": "anthropic", "model": "claude"} | chosen
            return AnthropicModel(client, ModelChoice(**choice), body or {}, PATIENCE)

        yield made


async def sent_by(model, stub, prompt=LONG):
    await model.complete(prompt)
    return stub.chats[-1].body


async def test_the_system_is_a_block_kept_for_the_next_prompt(model_of, stub):
    body = await sent_by(model_of(), stub)
    kept = {"cache_control": {"type": "ephemeral"}}
    assert body == {
        "model": "claude",
        "max_tokens": 4_000,
        "system": [{"type": "text", "text": "Be brief."} | kept],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Tea or coffee?"}]}
        ],
    }
    body = await sent_by(model_of(cache_policy={"ttl_seconds": 3_600}), stub)
    assert body["system"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    body = await sent_by(model_of(cache_policy={"mode": "none"}), stub)
    assert "cache_control" not in body["system"][0]


async def test_what_a_server_calls_its_model_can_be_recorded(model_of):
    """It stands in events as it is: with NUL, nothing that searches them would work."""
    assert (await model_of(model="m\x001").complete(ASKED)).model == "m1"


async def test_what_is_configured_is_sent(model_of, stub):
    model = model_of(
        {"metadata": {"user_id": "u"}},
        temperature=1.5,
        top_p=0.9,
        top_k=40,
        seed=7,
        stop_sequences=["END"],
        max_output_tokens=50,
    )
    body = await sent_by(model, stub)
    del body["messages"], body["system"]
    assert body == {
        "model": "claude",
        "max_tokens": 50,
        "temperature": 1.0,
        "top_k": 40,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u"},
    }
    assert (await sent_by(model_of(top_p=0.9), stub))["top_p"] == 0.9


@pytest.mark.parametrize(
    ("chosen", "most", "thinking"),
    [
        ({"thinking_budget_tokens": 2_048}, 4_000, ("enabled", 2_048)),
        ({"thinking_budget_tokens": 8_000}, 4_000, ("enabled", 3_999)),
        ({"thinking_budget_tokens": 2_048}, 250, None),
        ({"thinking_budget_tokens": 0}, 4_000, ("disabled", None)),
        ({"thinking_effort": "none"}, 4_000, ("disabled", None)),
        ({"thinking_effort": "minimal"}, 4_000, ("adaptive", None)),
        ({}, 4_000, None),
    ],
)
async def test_it_thinks_as_it_is_told_and_within_its_answer(
    model_of, stub, chosen, most, thinking
):
    model = model_of(temperature=0.5, **chosen)
    body = await sent_by(model, stub, replace(LONG, max_tokens=most))
    said = body.get("thinking")
    assert thinking == (said and (said["type"], said.get("budget_tokens")))
    assert ("temperature" in body) == (thinking is None or thinking[0] == "disabled")
    if chosen.get("thinking_effort") == "minimal":
        assert body["output_config"] == {"effort": "low"}


@pytest.mark.parametrize("stream", [True, False])
async def test_sampling_a_model_refuses_is_left_out_from_then_on(
    model_of, stub, stream
):
    def refusing(call):
        return Answer(status=400) if "temperature" in call.body else "Tea."

    stub.otherwise = refusing
    model = model_of(temperature=0.5)
    for attempts in (2, 1):
        if stream:
            _, answered = await streamed(model)
        else:
            answered = await model.complete(ASKED)
        assert (answered.text, answered.call.attempts) == ("Tea.", attempts)


@pytest.mark.parametrize("stream", [True, False])
async def test_thought_goes_back_with_its_calls_to_its_model_alone(
    model_of, stub, stream
):
    stub.script(replace_answer(WANTED, thought="Tea, then."))
    model = model_of(thinking_budget_tokens=1_024)
    prompt = replace(LONG, tools=(TEA,), tool_choice="required")
    first = (
        (await streamed(model, prompt))[1] if stream else await model.complete(prompt)
    )
    assert stub.chats[0].body["tool_choice"] == {"type": "auto"}
    [call] = first.calls
    found = Turn("tool", "sencha", call=call.id)
    again = replace(prompt, turns=(*LONG.turns, first.turn, found))
    await model.complete(again)
    await model_of(model="other").complete(again)
    back, other = (each.body["messages"][1]["content"] for each in stub.chats[1:])
    used = {
        "type": "tool_use",
        "id": call.id,
        "name": "find_tea",
        "input": {"kind": "green"},
    }
    text = {"type": "text", "text": "Let me look."}
    thought = {"type": "thinking", "thinking": "Tea, then.", "signature": "signed"}
    assert back == [thought, text, used]
    assert other == [text, used]
    assert stub.chats[1].body["messages"][2] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": call.id, "content": "sencha"}
        ],
    }


@pytest.mark.parametrize("artefacts", [(), ({"by": "openai/m", "content": {}},)])
async def test_a_turn_whose_thought_is_lost_is_gone_on_from_without_thinking(
    model_of, stub, artefacts
):
    calls = (ToolCall("c", "find_tea", "{}"),)
    said = Turn("assistant", "", calls, artefacts=artefacts)
    turns = (*LONG.turns, said, Turn("tool", "sencha", call="c"))
    prompt = replace(LONG, turns=turns, tools=(TEA,))
    within = model_of(thinking_budget_tokens=1_024)
    assert "thinking" not in await sent_by(within, stub, prompt)
    adaptive = model_of(thinking_effort="low")
    assert "thinking" in await sent_by(adaptive, stub, prompt)
    later = replace(prompt, turns=(*turns, Turn("user", "And now?")))
    assert "thinking" in await sent_by(within, stub, later)


def replace_answer(answer, **changed):
    return Answer(**(vars(answer) | changed))


async def test_turns_alternate_and_a_person_begins(model_of, stub):
    turns = (
        Turn("assistant", "Hello."),
        Turn("user", "Tea"),
        Turn("user", "please."),
        Turn("system", "Hurry."),
        Turn("assistant", " "),
        Turn("tool", "", call="t"),
    )
    body = await sent_by(model_of(), stub, Prompt(turns=turns, max_tokens=9))
    assert [each["role"] for each in body["messages"]] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    texts = [each.get("text") for each in body["messages"][2]["content"]]
    assert texts == ["Tea", "please.", "Hurry."]
    assert "system" not in body


async def test_input_counts_what_the_cache_had_and_took(model_of, stub):
    usage = {
        "input_tokens": 3,
        "cache_read_input_tokens": 20,
        "cache_creation_input_tokens": 100,
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    block = {"type": "text", "text": "Tea."}
    message = {"content": [block], "stop_reason": "end_turn", "usage": usage}
    stub.script(Answer(body=json.dumps(message | {"type": "message"}).encode()))
    spent = (await model_of().complete(ASKED)).usage
    assert (spent.input, spent.cached, spent.cache_written) == (123, 20, 100)
    assert (spent.output, spent.reasoning) == (9, 4)


async def test_a_value_is_the_input_of_a_tool_that_must_be_used(model_of, stub):
    stub.script(Answer(calls=(("drinks", {"drinks": ["tea"]}),)))
    await model_of().structured(replace(ASKED, tools=(TEA,)), DRINKS)
    body = stub.chats[0].body
    assert body["tool_choice"] == {"type": "tool", "name": "drinks"}
    assert [each["name"] for each in body["tools"]] == ["find_tea", "drinks"]
    assert body["tools"][1]["input_schema"] == DRINKS.schema


@pytest.mark.parametrize(
    ("chosen", "schema", "refused"),
    [
        ({"thinking_budget_tokens": 1_024}, DRINKS, False),
        ({}, JsonSchema("d", {"anyOf": [DRINKS.schema]}), False),
        ({}, DRINKS, True),
    ],
)
async def test_where_no_tool_can_be_forced_the_schema_is_in_words(
    model_of, stub, chosen, schema, refused
):
    stub.script(*[Answer(status=400)] * refused, '{"drinks": ["tea"]}')
    structured = await model_of(**chosen).structured(LONG, schema)
    assert structured.value == {"drinks": ["tea"]}
    assert structured.completion.call.attempts == 1 + refused
    body = stub.chats[-1].body
    assert "tools" not in body
    assert json.dumps(schema.schema) in body["system"][0]["text"]


async def test_a_stream_with_tools_to_choose_from_forces_none(model_of, stub):
    stub.script('{"drinks": ["tea"]}')
    prompt = replace(ASKED, tools=(TEA,))
    _, whole = await streamed(model_of(), prompt, DRINKS)
    assert json.loads(whole.text) == {"drinks": ["tea"]}
    assert [each["name"] for each in stub.chats[0].body["tools"]] == ["find_tea"]


@pytest.mark.parametrize("kind", ["overloaded_error", "api_error", "rate_limit_error"])
async def test_an_error_within_a_stream_may_pass(model_of, stub, kind):
    stub.script(Answer("a b", error=kind))
    raised = await failure(streamed(model_of()))
    assert (type(raised), raised.retry_after) == (Unavailable, None)
