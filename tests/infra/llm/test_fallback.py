"""A second model answers where the first does not, from the second attempt on."""

import pytest

from infra.llm.models import open_models
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig
from processors.language_model import (
    JsonSchema,
    Malformed,
    ModelRefused,
    Prompt,
    Turn,
    Unavailable,
)
from tests.support.openai_stub import Answer

ASKED = Prompt(turns=(Turn("user", "Tea?"),), max_tokens=10, temperature=0)
ANY = JsonSchema("any", {"type": "object"})
PRICES = {"first": {"input": 0, "output": 5}, "second": {"input": 0, "output": 7}}


@pytest.fixture
async def model(stub):
    settings = Settings(
        _env_file=None,
        llm_openai_api_key="secret",
        llm_openai_base_url=stub.url,
        llm_retry_min_wait_seconds=0,
        llm_prices=PRICES,
    )
    config = ModelConfig.model_validate(
        {"model": "first", "fallback": {"model": "second"}}
    )
    async with open_models(settings) as models:
        yield await models.find(config)


def asked(stub):
    return [call.body["model"] for call in stub.chats]


async def test_the_second_attempt_is_the_seconds(model, stub):
    stub.script(Answer(status=500), Answer(status=500), "Tea.")
    answered = await model.complete(ASKED)
    assert asked(stub) == ["first", "second", "second"]
    assert (answered.model, answered.fallback) == ("second", True)
    assert answered.call.attempts == 3
    assert answered.call.answered_by == "openai/second"
    assert [call.body["temperature"] for call in stub.chats] == [0, 0.2, 0.2]


async def test_the_first_is_asked_again_next_time(model, stub):
    stub.script(Answer(status=500), "Tea.", "Coffee.")
    await model.complete(ASKED)
    answered = await model.complete(ASKED)
    assert (answered.model, answered.call.answered_by) == ("first", None)
    assert answered.call.attempts == 1


async def test_it_is_the_second_that_is_waited_for(model, stub):
    stub.script(*[Answer(status=500)] * 2, Answer(status=429, retry_after="99"))
    with pytest.raises(Unavailable) as raised:
        await model.complete(ASKED)
    assert raised.value.in_vain.call.attempts == 3
    assert asked(stub) == ["first", "second", "second"]


async def test_what_the_first_took_is_counted_and_paid(model, stub):
    stub.script("not JSON", "nor this", "{}")
    structured = await model.structured(ASKED, ANY)
    completion = structured.completion
    assert (structured.value, completion.model) == ({}, "second")
    assert (completion.usage.calls, completion.call.attempts) == (3, 3)
    assert completion.call.cost_usd_micros == 2 * 5 + 2 * 5 + 1 * 7


async def test_a_stream_changes_over_before_its_first_piece(model, stub):
    stub.script(Answer("Tea.", broken_after=0), "Coffee, please.")
    *pieces, whole = [each async for each in model.stream(ASKED)]
    assert pieces == ["Coffee,", " please."]
    assert whole.call.attempts == 2
    assert whole.call.answered_by == "openai/second"


REFUSED = Answer(status=400)
DOWN = Answer(status=401)


@pytest.mark.parametrize(
    ("first", "second", "raised"),
    [
        (DOWN, REFUSED, Unavailable),
        (REFUSED, DOWN, Unavailable),
        (REFUSED, REFUSED, ModelRefused),
        (Answer("nonsense"), REFUSED, Malformed),
        (DOWN, Answer("nonsense"), Unavailable),
    ],
)
async def test_it_is_final_only_if_both_say_so(model, stub, first, second, raised):
    stub.otherwise = lambda call: first if call.body["model"] == "first" else second
    with pytest.raises((Unavailable, ModelRefused)) as failed:
        await model.structured(ASKED, ANY)
    assert type(failed.value) is raised
    assert failed.value.in_vain.call.attempts == len(stub.chats)
