"""A real model through our adapters: its answers have form, whatever they say."""

import json

import pytest
from msgspec.structs import replace

from infra.llm.models import open_models
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig
from processors.language_model import (
    Completion,
    JsonSchema,
    Prompt,
    ToolCall,
    ToolOffer,
    Turn,
)
from tests.support.live_models import LOCAL

pytestmark = pytest.mark.live

ASKED = Prompt(
    turns=(
        Turn("system", "You talk about drinks. Be brief."),
        Turn("user", "Ann says: I like green tea. Which drink does Ann like?"),
    ),
    max_tokens=40,
    temperature=0,
)
DRINK = JsonSchema(
    "drink",
    {
        "type": "object",
        "properties": {
            "drink": {"type": "string", "enum": ["tea", "coffee", "water"]},
            "hot": {"type": "boolean"},
        },
        "required": ["drink", "hot"],
        "additionalProperties": False,
    },
)
FIND = ToolOffer(
    "find_drink",
    "Look up a drink.",
    {
        "type": "object",
        "properties": {"name": {"type": "string", "enum": ["tea", "coffee"]}},
        "required": ["name"],
        "additionalProperties": False,
    },
)


@pytest.fixture
async def model(live):
    given = {name.lower(): value for name, value in live.environment.items()}
    config = ModelConfig(transport=live.transport, model=live.model)
    async with open_models(Settings(_env_file=None, **given)) as models:
        yield await models.find(config)


async def test_it_answers_and_says_what_it_took(model):
    completion = await model.complete(ASKED)
    assert completion.text.strip()
    assert completion.finish in {"stop", "length"}
    assert completion.usage.input > 10
    assert 0 < completion.usage.output <= 41
    assert completion.call.latency_ms > 0


async def test_it_answers_in_the_form_it_is_asked_for(model):
    structured = await model.structured(ASKED, DRINK)
    assert structured.value["drink"] in {"tea", "coffee", "water"}
    assert isinstance(structured.value["hot"], bool)
    assert structured.completion.call.attempts <= 2


async def test_its_stream_is_its_pieces(model):
    *pieces, whole = [each async for each in model.stream(ASKED)]
    assert isinstance(whole, Completion)
    assert "".join(pieces) == whole.text
    assert len(pieces) > 1
    assert whole.usage.output > 0


async def test_it_can_be_left_in_the_middle_and_asked_again(model):
    stream = model.stream(ASKED)
    assert isinstance(await anext(stream), str)
    await stream.aclose()
    assert (await model.structured(ASKED, DRINK)).value


async def test_it_is_offered_a_tool_and_goes_on_with_what_was_found(model, live):
    asked = Prompt(
        turns=ASKED.turns,
        max_tokens=120,
        temperature=0,
        tools=(FIND,),
        tool_choice="required",
    )
    first = await model.complete(asked)
    # The small model may talk instead: its server holds it to a form, not to a tool.
    assert (first.finish == "tools") == bool(first.calls)
    assert first.calls or live.model == LOCAL
    for call in first.calls:
        assert call.name == "find_drink"
        assert json.loads(call.arguments)["name"] in {"tea", "coffee"}
    said = first.turn
    if not first.calls:
        said = Turn("assistant", "", (ToolCall("c", "find_drink", '{"name": "tea"}'),))
    found = [Turn("tool", "It is green.", call=each.id) for each in said.calls]
    again = replace(asked, turns=(*asked.turns, said, *found), tool_choice="none")
    completion = await model.complete(again)
    assert completion.finish in {"stop", "length"}
    assert completion.usage.input > first.usage.input
