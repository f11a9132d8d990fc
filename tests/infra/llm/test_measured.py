"""What an answer took is measured, and priced where somebody set a price."""

import pytest

from infra.llm.measured import MeasuredModel, cost_of
from infra.llm.models import open_models
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig
from infra.settings.price import Price
from processors.language_model import Completion, JsonSchema, Prompt, Turn, Usage
from tests.support.openai_stub import Answer

ASKED = Prompt(turns=(Turn("user", "Tea?"),), max_tokens=10)
ANY = JsonSchema("any", {"type": "object"})


async def test_attempts_and_time_are_those_of_all_of_it(model, stub):
    stub.script(Answer(status=500), "Green.")
    call = (await MeasuredModel(model, {}).complete(ASKED)).call
    assert call.attempts == 2
    assert call.latency_ms > 0
    assert call.cost_usd_micros is None


async def test_an_answer_asked_for_again_took_both(model, stub):
    stub.script("not JSON", "{}")
    prices = {"gpt-5.4-mini": Price(input=1, output=1)}
    structured = await MeasuredModel(model, prices).structured(ASKED, ANY)
    completion = structured.completion
    assert completion.call.attempts == 2
    spent = completion.usage.input + completion.usage.output
    assert completion.call.cost_usd_micros == spent


async def test_a_stream_is_measured_at_its_end(model, stub):
    stub.script("Green tea.")
    measured = MeasuredModel(model, {"gpt-5.4-mini": Price(input=0, output=2.5)})
    *_, last = [each async for each in measured.stream(ASKED)]
    assert isinstance(last, Completion)
    assert (last.call.attempts, last.call.cost_usd_micros) == (1, 5)


async def test_prices_of_settings_are_those_of_each_model(stub, monkeypatch):
    prices = '{"m": {"input": 3, "output": 0}}'
    monkeypatch.setenv("LLM_PRICES", prices)
    settings = Settings(
        _env_file=None, llm_openai_api_key="secret", llm_openai_base_url=stub.url
    )
    async with open_models(settings) as models:
        priced = await models.find(ModelConfig(model="m"))
        unknown = await models.find(ModelConfig(model="other"))
        spent = await priced.complete(ASKED)
        assert spent.call.cost_usd_micros == 3 * spent.usage.input > 0
        assert (await unknown.complete(ASKED)).call.cost_usd_micros is None


@pytest.mark.parametrize(
    ("price", "micros"),
    [
        (Price(input=2, output=8), 280),
        (Price(input=2, output=8, cached=0.5), 190),
        (Price(input=0, output=0), 0),
    ],
)
def test_a_token_costs_a_millionth_of_the_price(price, micros):
    assert cost_of(Usage(input=100, cached=60, output=10), price) == micros


def test_more_read_from_a_cache_than_was_given_costs_no_less_than_nothing():
    usage = Usage(input=10, cached=1_000, output=1)
    assert cost_of(usage, Price(input=2, output=8, cached=0.5)) == 13
