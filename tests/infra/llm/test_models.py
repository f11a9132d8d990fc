"""A feature's model is found where settings say, or there is none."""

import pytest

from infra.llm.models import open_models
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig
from processors.language_model import Prompt, Turn, Unavailable
from tests.support.openai_stub import Answer

ASKED = Prompt(turns=(Turn("user", "Tea?"),), max_tokens=10)


def configured(**given):
    return ModelConfig.model_validate(given)


async def test_without_a_key_there_is_no_model(monkeypatch):
    monkeypatch.delenv("LLM_OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "of another program")
    async with open_models(Settings(_env_file=None)) as models:
        assert await models.find(configured()) is None
        assert await models.find(configured(transport="anthropic")) is None
        named = configured(overrides={"api_key_env": "NOBODY_SET_THIS"})
        assert await models.find(named) is None


async def test_the_transports_key_and_address_are_used(stub):
    settings = Settings(
        _env_file=None, llm_openai_api_key="secret", llm_openai_base_url=stub.url
    )
    async with open_models(settings) as models:
        model = await models.find(configured(model="m"))
        assert (await model.complete(ASKED)).text == "Stub."
        assert model.model == "m"


async def test_a_features_own_key_address_and_parameters_go_first(stub, monkeypatch):
    monkeypatch.setenv("OWN_KEY", "secret")
    settings = Settings(
        _env_file=None, llm_openai_api_key="x", llm_openai_base_url="http://127.0.0.1:9"
    )
    config = configured(
        overrides={
            "api_key_env": "OWN_KEY",
            "base_url": stub.url,
            "provider_params": {
                "extra_body": {"b": 1},
                "extra_headers": {"x-h": "h"},
                "extra_query": {"q": "1"},
                "timeout": 3,
            },
        }
    )
    async with open_models(settings) as models:
        model = await models.find(config)
        await model.complete(ASKED)
    [call] = stub.calls
    assert (call.body["b"], call.headers["x-h"]) == (1, "h")
    assert call.query == "q=1"


async def test_the_second_model_answers_where_the_first_does_not(stub):
    settings = Settings(
        _env_file=None, llm_openai_api_key="secret", llm_openai_base_url=stub.url
    )
    config = configured(model="first", fallback={"model": "second"})
    stub.otherwise = lambda call: (
        Answer(status=404) if call.body["model"] == "first" else "Tea."
    )
    async with open_models(settings) as models:
        model = await models.find(config)
        answered = await model.complete(ASKED)
        assert (answered.text, answered.model) == ("Tea.", "second")
        assert (answered.transport, answered.fallback) == ("openai", True)
        *_, whole = [each async for each in model.stream(ASKED)]
        assert (whole.model, whole.fallback) == ("second", True)
        stub.otherwise = lambda _: Answer("a b", broken_after=1)
        with pytest.raises(Unavailable):
            async for _ in model.stream(ASKED):
                pass
        assert stub.calls[-1].body["model"] == "first"
