"""The models of measurements answer as a model does, in a process and over a socket."""

from datetime import UTC, datetime

import pytest

from infra.llm.models import open_models
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig
from processors.language_model import JsonSchema, Prompt, Turn
from processors.prompts import derive_conclusions
from processors.reasoner import Said
from tests.bench.scripted_model import ScriptedModel, model_server
from tests.contracts.language_model import streamed

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
SAID = [Said("m1", "ann", "I sail.", AT), Said("m2", "bo", "No.", AT)]
FACTS = Prompt(turns=derive_conclusions.render(SAID, ["ann"]), max_tokens=100)
TALK = Prompt(turns=(Turn("user", "Tea or coffee?"),), max_tokens=100)


@pytest.fixture(params=["here", "there"])
async def scripted(request):
    if request.param == "here":
        yield ScriptedModel()
        return
    with model_server() as address:
        settings = Settings(
            _env_file=None, llm_openai_api_key="k", llm_openai_base_url=address
        )
        async with open_models(settings) as models:
            yield await models.find(ModelConfig(model="scripted"))


async def test_it_states_what_each_line_says_and_talks_otherwise(scripted):
    anything = JsonSchema("facts", {"type": "object"})
    value = (await scripted.structured(FACTS, anything)).value
    fact = {"peer": "ann", "content": "ann said: I sail.", "evidence": [1]}
    assert value == {"explicit": [fact]}
    completion = await scripted.complete(TALK)
    assert completion.text == "It was said."
    assert completion.usage.input > 0
    pieces, whole = await streamed(scripted, TALK)
    assert "".join(pieces) == whole.text == "It was said."
