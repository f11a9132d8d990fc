"""Each adapter, and each wrapper around one, does what the port says."""

import json

import pytest
from pydantic import SecretStr

from infra.llm.anthropic_client import open_anthropic
from infra.llm.anthropic_model import AnthropicModel
from infra.llm.client import open_client
from infra.llm.endpoint import Endpoint
from infra.llm.fallback import FallbackModel
from infra.llm.measured import MeasuredModel
from infra.llm.openai_model import OpenAIModel
from infra.settings.model_choice import ModelChoice
from infra.settings.price import Price
from tests.contracts.language_model import PATIENCE, LanguageModelContract
from tests.support.anthropic_stub import anthropic_stub
from tests.support.openai_stub import openai_stub
from tests.support.stub_replies import Answer


class OverOpenAI(LanguageModelContract):
    """The contract over the OpenAI protocol, for the classes below."""

    mode = "json_schema"

    @pytest.fixture
    def stub(self):
        with openai_stub("secret") as stub:
            yield stub

    @pytest.fixture
    async def client(self, stub):
        endpoint = Endpoint(api_key=SecretStr("secret"), base_url=stub.url)
        async with open_client(endpoint, PATIENCE) as client:
            yield client

    @pytest.fixture
    def model(self, client):
        return self.model_of(client, PATIENCE)

    @pytest.fixture
    def valued(self):
        return lambda value: Answer(json.dumps(value))

    def model_of(self, client, patience):
        choice = ModelChoice(model="m", structured_output_mode=self.mode)
        return OpenAIModel(client, choice, {}, patience)


class TestOpenAI(OverOpenAI):
    pass


class TestOpenAIWithoutSchemas(OverOpenAI):
    mode = "json_object"


class TestMeasured(OverOpenAI):
    @pytest.fixture
    def model(self, client):
        price = {"m": Price(input=1, output=1)}
        return MeasuredModel(self.model_of(client, PATIENCE), price)


class TestFallback(OverOpenAI):
    @pytest.fixture
    def model(self, client):
        first = self.model_of(client, PATIENCE.with_backup())
        return FallbackModel(first, self.model_of(client, PATIENCE.as_backup()))


class TestAnthropic(LanguageModelContract):
    @pytest.fixture
    def stub(self):
        with anthropic_stub("secret") as stub:
            yield stub

    @pytest.fixture
    async def model(self, stub):
        endpoint = Endpoint(api_key=SecretStr("secret"), base_url=stub.url)
        choice = ModelChoice(transport="anthropic", model="claude")
        async with open_anthropic(endpoint, PATIENCE) as client:
            yield AnthropicModel(client, choice, {}, PATIENCE)

    @pytest.fixture
    def valued(self):
        return lambda value: Answer(calls=(("drinks", value),))
