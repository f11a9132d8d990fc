"""How often a model is asked and how long it is waited for (RS 8.2, 14.14)."""

import asyncio
import time

import pytest
from pydantic import SecretStr

from infra.llm.client import open_client
from infra.llm.endpoint import Endpoint
from infra.llm.models import patience_of
from infra.llm.openai_model import OpenAIModel
from infra.llm.patience import Patience
from infra.settings import Settings
from infra.settings.model_choice import ModelChoice
from processors.language_model import Prompt, Turn, Unavailable
from tests.support.openai_stub import Answer

ASKED = Prompt(turns=(Turn("user", "Tea?"),), max_tokens=10)


@pytest.fixture
async def waiting(stub):
    """Make a model that is waited for so long."""
    endpoint = Endpoint(api_key=SecretStr("secret"), base_url=stub.url)
    async with open_client(endpoint) as client:
        yield lambda **bounds: OpenAIModel(
            client, ModelChoice(), {}, Patience(shortest=0, **bounds)
        )


def test_the_numbers_are_those_of_the_settings():
    patience = patience_of(Settings(_env_file=None))
    assert patience == Patience()
    assert (patience.attempts, patience.shortest, patience.longest) == (3, 4, 10)
    assert (patience.with_backup().attempts, patience.as_backup().attempts) == (1, 2)
    assert patience.within(7) == Patience(whole=7, first=7, silence=7)


async def test_waits_are_as_long_as_they_are_set(stub):
    stub.script(Answer(status=500), "Tea.")
    endpoint = Endpoint(api_key=SecretStr("secret"), base_url=stub.url)
    async with open_client(endpoint) as client:
        patience = Patience(shortest=0.2, longest=0.2)
        model = OpenAIModel(client, ModelChoice(), {}, patience)
        begun = time.monotonic()
        await model.complete(ASKED)
    assert time.monotonic() - begun >= 0.2


async def test_what_failed_cold_is_asked_warmer(model_of, stub):
    stub.script(Answer(status=500), "Tea.", Answer(status=500), "Tea.")
    await model_of(model="m", temperature=0).complete(ASKED)
    await model_of(model="m", temperature=0.5).complete(ASKED)
    assert [call.body["temperature"] for call in stub.chats] == [0, 0.2, 0.5, 0.5]


@pytest.mark.parametrize("bound", ["first", "whole"])
async def test_a_stream_that_does_not_begin_is_tried_again(waiting, stub, bound):
    stub.script(Answer("Tea.", held_after=0), "Coffee.")
    *_, whole = [each async for each in waiting(**{bound: 0.3}).stream(ASKED)]
    assert (whole.text, whole.call.attempts) == ("Coffee.", 2)
    assert await asyncio.to_thread(stub.chats[0].left.wait, 5)


@pytest.mark.parametrize("bound", ["silence", "whole"])
async def test_a_stream_that_stands_still_is_given_up(waiting, stub, bound):
    stub.script(Answer("Tea or coffee?", held_after=1))
    stream = waiting(**{bound: 0.5}).stream(ASKED)
    assert await anext(stream) == "Tea"
    with pytest.raises(Unavailable) as raised:
        await anext(stream)
    assert raised.value.in_vain.call.attempts == 1
    assert await asyncio.to_thread(stub.chats[0].left.wait, 5)


async def test_who_goes_away_ends_the_call(waiting, stub):
    stub.script(Answer(stall=True))
    asking = asyncio.create_task(waiting().complete(ASKED))
    await asyncio.to_thread(stub.asked.wait, 5)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert await asyncio.to_thread(stub.chats[0].left.wait, 5)


async def test_what_was_asked_in_vain_is_counted(waiting, stub):
    stub.otherwise = lambda _: Answer(status=500)
    with pytest.raises(Unavailable) as raised:
        await waiting().complete(ASKED)
    in_vain = raised.value.in_vain
    assert (in_vain.call.attempts, in_vain.usage.calls) == (3, 0)
    assert in_vain.call.cost_usd_micros == 0
