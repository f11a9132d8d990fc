"""The models of measurements answer as a model does, in a process and over a socket."""

import pytest

from infra.llm.models import open_models
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig
from processors.language_model import JsonSchema, Prompt, Turn
from tests.bench.scripted_model import ScriptedModel, model_server
from tests.contracts.language_model import streamed

LINES = (
    "The peer: ann\n\n[1] 2026-11-28 12:00 ann: I sail.\n[2] 2026-11-28 12:01 bo: No."
)
FACTS = Prompt(turns=(Turn("user", LINES),), max_tokens=100)
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
    assert value == {"explicit": [{"content": "ann said: I sail.", "evidence": [1]}]}
    completion = await scripted.complete(TALK)
    assert completion.text == "It was said."
    assert completion.usage.input > 0
    pieces, whole = await streamed(scripted, TALK)
    assert "".join(pieces) == whole.text == "It was said."
