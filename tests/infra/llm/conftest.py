"""A model behind a stub of its protocol, on loopback."""

import pytest
from pydantic import SecretStr

from infra.llm.client import open_client
from infra.llm.endpoint import Endpoint
from infra.llm.openai_model import OpenAIModel
from infra.llm.patience import Patience
from infra.settings.model_choice import ModelChoice
from tests.support.openai_stub import openai_stub

AT_ONCE = Patience(shortest=0, whole=5, first=5, silence=5)
"""Retries without waiting."""


@pytest.fixture
def stub():
    with openai_stub("secret") as stub:
        yield stub


@pytest.fixture
async def client(stub):
    endpoint = Endpoint(api_key=SecretStr("secret"), base_url=stub.url, timeout=60)
    async with open_client(endpoint) as client:
        yield client


@pytest.fixture
def model_of(client):
    """Make a model of this choice."""
    return lambda **chosen: OpenAIModel(client, ModelChoice(**chosen), {}, AT_ONCE)


@pytest.fixture
def model(model_of):
    return model_of()
