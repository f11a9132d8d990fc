"""One scripted file, spoken over both protocols: the same story in both adapters."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from infra.llm.models import open_models
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig
from processors.language_model import ModelRefused, Turn, Unavailable
from tests.contracts.language_model import ASKED, DRINKS, TEA, failure, streamed
from tests.support.anthropic_stub import anthropic_stub
from tests.support.model_script import Rule, read_script
from tests.support.openai_stub import openai_stub
from tests.support.stub_server import Call

SCRIPT = Path(__file__).parent / "scripts" / "tea.json"
STUBS = {"openai": openai_stub, "anthropic": anthropic_stub}


@pytest.fixture(params=STUBS)
async def told(request):
    """A model, and the script it speaks from."""
    script = read_script(SCRIPT)
    with STUBS[request.param]() as stub:
        stub.otherwise = script
        given = {
            f"llm_{request.param}_api_key": "k",
            f"llm_{request.param}_base_url": stub.url,
            "llm_retry_min_wait_seconds": 0,
            "llm_silence_timeout_seconds": 1,
        }
        config = ModelConfig(transport=request.param, model="m")
        async with open_models(Settings(_env_file=None, **given)) as models:
            yield await models.find(config), script


def asking(words, **more):
    return replace(ASKED, turns=(Turn("user", words),), **more)


async def test_a_script_is_played_to_its_end(told):
    model, script = told
    assert (await model.complete(asking("hurry"))).call.attempts == 2
    assert (await model.complete(asking("hurry"))).call.attempts == 1
    assert type(await failure(model.complete(asking("poison")))) is ModelRefused

    structured = await model.structured(asking("list them"), DRINKS)
    assert structured.value == {"drinks": ["green"]}
    assert structured.completion.usage.calls == 2

    prompt = asking("Which tea?", tools=(TEA,))
    first = await model.complete(prompt)
    found = Turn("tool", "sencha", call=first.calls[0].id)
    turns = (*prompt.turns, first.turn, found)
    _, whole = await streamed(model, replace(prompt, turns=turns))
    assert whole.text == "Sencha, then."

    assert type(await failure(streamed(model, asking("slowly")))) is Unavailable
    assert (await model.complete(asking("Hello."))).text == "Tea."
    assert script.unused == []


def test_what_no_rule_fits_and_what_a_script_does_not_know_is_an_error():
    call = Call("/", {"model": "m", "messages": []}, {})
    script = read_script(SCRIPT)
    script._rules.clear()
    with pytest.raises(AssertionError, match="no rule"):
        script(call)
    with pytest.raises(AssertionError, match="knows no 'weather'"):
        Rule({"weather": "fair"}, "x", None).fits(call)
