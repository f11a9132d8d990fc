"""A feature's model is found where settings say, or there is none."""

import subprocess
import sys

import pytest

from infra.llm.models import open_models
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig
from processors.language_model import (
    JsonSchema,
    ModelRefused,
    Prompt,
    ToolOffer,
    Turn,
    Unavailable,
)
from tests.support.anthropic_stub import anthropic_stub
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


@pytest.mark.parametrize("transport", ["gemini", "groq"])
async def test_other_vendors_are_asked_over_the_openai_protocol(stub, transport):
    given = {
        f"llm_{transport}_api_key": "secret",
        f"llm_{transport}_base_url": stub.url,
    }
    config = configured(model=f"{transport}/m", top_k=5, thinking_budget_tokens=99)
    async with open_models(Settings(_env_file=None, **given)) as models:
        model = await models.find(config)
        assert (await model.complete(ASKED)).text == "Stub."
        assert (model.transport, model.model) == (transport, "m")
    body = stub.chats[0].body
    assert "top_k" not in body
    budget = {"google": {"thinking_config": {"thinking_budget": 99}}}
    assert body.get("extra_body") == (budget if transport == "gemini" else None)


@pytest.mark.parametrize("reason", ["SAFETY", "content_filter: PROHIBITED_CONTENT"])
async def test_what_gemini_withholds_is_a_refusal(stub, reason):
    stub.script(*[Answer("half", finish=reason)] * 2)
    settings = Settings(
        _env_file=None, llm_gemini_api_key="secret", llm_gemini_base_url=stub.url
    )
    async with open_models(settings) as models:
        model = await models.find(configured(model="gemini/m"))
        with pytest.raises(ModelRefused) as raised:
            await model.complete(ASKED)
        assert raised.value.reason == reason.rpartition(": ")[2].lower()
        with pytest.raises(ModelRefused):
            [each async for each in model.stream(ASKED)]


async def test_gemini_takes_tools_or_a_schema_and_never_both(stub):
    stub.script("{}")
    settings = Settings(
        _env_file=None, llm_gemini_api_key="secret", llm_gemini_base_url=stub.url
    )
    tool = ToolOffer("t", "t", {"type": "object"})
    asked = Prompt(turns=ASKED.turns, max_tokens=9, tools=(tool,))
    async with open_models(settings) as models:
        model = await models.find(configured(model="gemini/m"))
        await model.structured(asked, JsonSchema("any", {"type": "object"}))
    body = stub.chats[0].body
    assert "response_format" not in body
    assert "JSON Schema" in body["messages"][0]["content"]
    assert body["tool_choice"] == "none"


async def test_a_model_of_another_vendor_stands_in(stub):
    with anthropic_stub("other") as other:
        settings = Settings(
            _env_file=None,
            llm_openai_api_key="secret",
            llm_openai_base_url=stub.url,
            llm_anthropic_api_key="other",
            llm_anthropic_base_url=other.url,
        )
        stub.otherwise = lambda _: Answer(status=500)
        config = configured(model="m", fallback={"model": "anthropic/claude"})
        async with open_models(settings) as models:
            answered = await (await models.find(config)).complete(ASKED)
        assert answered.text == "Stub."
        assert answered.call.answered_by == "anthropic/claude"
        assert len(stub.chats) == len(other.chats) == 1


async def test_sampling_only_servers_of_ones_own_know_is_sent_to_them(stub):
    settings = Settings(
        _env_file=None, llm_openai_api_key="secret", llm_openai_base_url=stub.url
    )
    policy = {"key_version": "v1"}
    async with open_models(settings) as models:
        model = await models.find(configured(model="m", top_k=5, cache_policy=policy))
        await model.complete(ASKED)
    body = stub.chats[0].body
    assert (body["top_k"], body["prompt_cache_key"]) == (5, "v1")


LOADED = """
import asyncio, sys
import infra.composition
from infra.llm.models import open_models
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig

async def main():
    async with open_models(Settings(_env_file=None, llm_openai_api_key="k")) as models:
        await models.find(ModelConfig())
    print(*sorted({"anthropic", "json_repair"} & set(sys.modules)))

asyncio.run(main())
"""


def test_who_asks_nobody_at_anthropic_does_not_load_its_sdk():
    told = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == ""
