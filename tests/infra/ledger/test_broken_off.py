"""What was paid for counts, however a call broke off and whoever left it."""

import asyncio
from datetime import timedelta

import pytest

from domain.call import LLMCallRecorded
from infra.ledger import settler as settling
from infra.ledger.estimate import Estimate
from infra.llm.in_vain import nothing_from
from infra.postgres import llm_calls
from processors.language_model import Completion, Unavailable, Usage
from tests.support.ledgers import PRICES, Answering, Words, prompt

WORK = {"key": "s/1-2", "session": "s", "feature": "deriver.representation"}


async def told(books, memory):
    await books.settler.settle()
    return await memory.events(LLMCallRecorded)


class SlowToWrite:
    """A journal that takes its time to write an answer down."""

    def __init__(self, journal):
        self.journal = journal
        self.begun = asyncio.Event()
        self.finish_before = journal.finish

    async def finish(self, calls):
        self.begun.set()
        await asyncio.sleep(60)
        await self.finish_before(calls)


@pytest.mark.parametrize("form", ["complete", "stream"])
async def test_who_leaves_while_the_answer_is_written_down_has_paid_for_it(
    books, memory, monkeypatch, form
):
    asked, slow = Answering(), SlowToWrite(books.log.calls)

    async def ask(model):
        if form == "complete":
            return await model.complete(prompt(**WORK))
        return [each async for each in model.stream(prompt(**WORK))][-1]

    with monkeypatch.context() as patch:
        patch.setattr(books.log.calls, "finish", slow.finish)
        asking = asyncio.create_task(ask(books.model(asked)))
        await slow.begun.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    [call] = await told(books, memory)
    assert (call.outcome, call.usage["output"], call.estimated) == (
        *("answered", 10),
        False,
    )
    await ask(books.model(asked))
    assert len(asked.asked) == 1


async def test_a_stream_its_provider_broke_off_counts_what_came_of_it(books, memory):
    asked = Answering()
    asked.failure = Unavailable("m", in_vain=nothing_from("m", 2))
    stream = books.model(asked).stream(prompt("Tell me all."))
    assert await anext(stream) == "One "
    with pytest.raises(Unavailable):
        await anext(stream)
    [call] = await told(books, memory)
    assert (call.outcome, call.estimated, call.call.attempts) == ("failed", True, 2)
    assert call.usage["output"] == 1
    assert call.call.cost_usd_micros == call.usage["input"] + 10


@pytest.mark.parametrize("form", ["complete", "stream"])
async def test_an_answer_whose_provider_does_not_count_is_counted_here(
    books, memory, form
):
    """Or a cap would never be reached: many servers count no stream."""
    model = books.model(Answering(Usage()))
    if form == "complete":
        await model.complete(prompt(max_tokens=50))
    else:
        [_ async for _ in model.stream(prompt(max_tokens=50))]
    [call] = await told(books, memory)
    assert (call.outcome, call.estimated) == ("answered", True)
    assert call.usage["input"] > 0
    assert call.usage["output"] in {2, 3}
    assert call.call.cost_usd_micros > call.usage["input"]


class Behind:
    """Views that do not get there in time."""

    async def wait_for(self, _position, _seconds):
        return False


async def test_views_that_are_behind_have_nothing_appended_twice(
    books, memory, monkeypatch
):
    monkeypatch.setattr(llm_calls, "_SETTLED_LATE", timedelta())
    left = llm_calls._LEFT.replace("WHERE k.tenant = c.tenant", "WHERE false")
    monkeypatch.setattr(llm_calls, "_LEFT", left)
    await books.model(Answering()).complete(prompt(**WORK))
    late = settling.Settler(books.log.calls, books.decide, Behind())
    books.settler._waiting, late._waiting = [], books.settler._waiting
    await late.settle()
    for _ in range(3):
        await late.settle_left_over()
    assert len(await memory.events(LLMCallRecorded)) == 1


def test_who_stood_in_without_a_price_has_not_the_firsts():
    answer = Completion(text="", model="n", usage=Usage(input=5), fallback=True)
    assert Estimate(["m", "n"], PRICES, Words()).cost(answer) is None
