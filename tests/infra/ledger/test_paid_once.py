"""What was answered is paid once, and told once in the log, whatever broke off."""

import asyncio
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from commands.decide import Decide
from domain.call import LLMCallRecorded
from infra.ledger.settler import Settler
from infra.master_key import MasterKey
from infra.postgres import llm_calls
from infra.postgres.llm_calls import CallJournal
from infra.postgres.log import LogSettings, PostgresLog
from processors.language_model import (
    Completion,
    JsonSchema,
    Malformed,
    ModelRefused,
    Unavailable,
    Usage,
)
from tests.support.ledgers import Answering, prompt

WORK = {"key": "s/1-2", "session": "s", "feature": "deriver.representation"}
FORM = JsonSchema("numbers", {"type": "object"})


@pytest.fixture
def settled(books, memory):
    """Settle, and return what the log then tells of calls."""

    async def settle():
        await books.settler.settle()
        return await memory.events(LLMCallRecorded)

    return settle


async def test_a_call_is_told_with_what_it_took_and_never_what_was_said(books, settled):
    model = books.model(Answering())
    answer = await model.complete(prompt("A secret.", run="r", peer="ann", **WORK))
    [told] = await settled()
    assert (told.workspace, told.session, told.peer, told.run) == ("w", "s", "ann", "r")
    assert (told.outcome, told.transport, told.model) == ("answered", "openai", "m")
    assert (told.usage["input"], told.usage["output"]) == (100, 10)
    assert told.call.cost_usd_micros == 200
    assert told.call.latency_ms > 0
    assert not told.estimated
    assert answer.call.ids == (told.id,)
    assert len(told.journal) == 64
    written = msgspec.json.encode(told).decode()
    assert "secret" not in written
    assert "Answer" not in written


async def test_the_same_work_is_answered_from_the_journal_and_told_once(books, settled):
    asked, again = Answering(), Answering()
    first = await books.model(asked).complete(prompt(**WORK))
    second = await books.another().model(again).complete(prompt(**WORK))
    assert second == first
    assert (len(asked.asked), len(again.asked)) == (1, 0)
    assert len(await settled()) == 1


async def test_structured_and_streamed_answers_are_kept_as_they_were(books, settled):
    model, again = books.model(Answering()), Answering()
    value = await model.structured(prompt(**WORK), FORM)
    told = [each async for each in model.stream(prompt(**WORK))]
    *pieces, completion = told
    assert "".join(pieces) == completion.text == "One two three."
    assert len(await settled()) == 2
    second = books.model(again)
    assert await second.structured(prompt(**WORK), FORM) == value
    replayed = [each async for each in second.stream(prompt(**WORK))]
    assert replayed == [completion.text, completion]
    assert again.asked == []
    assert len(await settled()) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"key": ""},
        {"key": "s/1-3"},
        {"feature": "summary.short"},
        {"text": "What else?"},
        {"max_tokens": 51},
        {"workspace": "v"},
        {"session": "t"},
    ],
)
async def test_what_is_not_the_same_work_is_asked(books, settled, other):
    asked = Answering()
    model = books.model(asked)
    await model.complete(prompt(**WORK))
    await model.complete(prompt(**WORK | other))
    assert len(asked.asked) == 2
    assert len(await settled()) == 2


async def test_work_without_a_key_is_never_the_same(books, settled):
    asked = Answering()
    model = books.model(asked)
    for _ in range(2):
        await model.complete(prompt())
    assert len(asked.asked) == 2
    assert [each.journal for each in await settled()] == ["", ""]


async def test_who_has_no_purpose_passes_through(books, settled):
    asked = Answering()
    plain = msgspec.structs.replace(prompt(), purpose=None)
    assert (await books.model(asked).complete(plain)).call.ids == ()
    assert await settled() == []


SPENT = Completion(text="{", model="m-1", usage=Usage(input=7, output=3))


@pytest.mark.parametrize(
    ("failure", "outcome", "reason", "cost"),
    [
        (Unavailable("m"), "failed", "unavailable", 0),
        (Malformed("m", in_vain=SPENT), "failed", "malformed", 37),
        (ModelRefused("m", "content_filter"), "refused", "content_filter", 0),
        (ZeroDivisionError(), "failed", "ZeroDivisionError", 0),
    ],
)
async def test_a_failure_is_told_with_what_is_known_and_asked_again(
    books, settled, failure, outcome, reason, cost
):
    asked = Answering()
    asked.failure = failure
    model = books.model(asked)
    with pytest.raises(type(failure)):
        await model.complete(prompt(**WORK))
    [told] = await settled()
    assert (told.outcome, told.reason) == (outcome, reason)
    assert told.call.cost_usd_micros == cost
    asked.failure = None
    await model.complete(prompt(**WORK))
    assert len(asked.asked) == 2


async def test_who_goes_away_is_told_of_with_what_was_streamed(books, settled):
    stream = books.model(Answering(open_=False)).stream(prompt("Tell me all."))
    assert await anext(stream) == "One "
    await stream.aclose()
    [told] = await settled()
    assert (told.outcome, told.estimated) == ("cancelled", True)
    assert told.usage["output"] == 1
    assert told.usage["input"] >= 3
    assert told.call.cost_usd_micros == told.usage["input"] + 10


async def test_a_call_that_is_cancelled_is_told_of(books, settled):
    asked = Answering(open_=False)
    asking = asyncio.create_task(books.model(asked).complete(prompt()))
    await asked.begun.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    [told] = await settled()
    assert (told.outcome, told.usage["output"]) == ("cancelled", 0)


async def test_what_a_killed_process_had_paid_for_is_told_by_the_next(
    books, memory, monkeypatch
):
    await books.model(Answering()).complete(prompt(**WORK))
    monkeypatch.setattr(llm_calls, "_SETTLED_LATE", timedelta())
    nexts = books.another()  # the first never settles
    await nexts.settler.settle_left_over()
    [told] = await memory.events(LLMCallRecorded)
    assert (told.outcome, told.call.cost_usd_micros) == ("answered", 200)
    await nexts.settler.settle_left_over()
    await books.settler.settle()  # or it does, late
    assert await memory.events(LLMCallRecorded) == [told]
    [used] = await books.rows("SELECT calls, cost FROM llm_usage")
    assert used == {"calls": 1, "cost": 200}


async def test_of_two_that_find_what_a_killed_process_left_at_once_one_tells_of_it(
    books, memory, database, monkeypatch
):
    for n in range(3):
        await books.model(Answering()).complete(prompt(key=f"s/{n}", session="s"))
    monkeypatch.setattr(llm_calls, "_SETTLED_LATE", timedelta())
    settings = LogSettings(announces=False)
    opening = PostgresLog.open(database.dsn(), MasterKey(bytes(32)), settings)
    async with opening as other, asyncpg.create_pool(database.dsn()) as pool:
        journal = LookedAtTogether(pool, 2)
        settlers = [
            Settler(journal, decide, books.views)
            for decide in (books.decide, Decide(other.store))
        ]
        await asyncio.gather(*(each.settle_left_over() for each in settlers))
        told = await memory.events(LLMCallRecorded)
        assert len({each.id for each in told}) == len(told) == 3
        assert await CallJournal(pool).left_over() == []


class LookedAtTogether(CallJournal):
    """A journal whose lookers all have looked before one of them tells anything."""

    def __init__(self, pool, lookers):
        super().__init__(pool)
        self.all = asyncio.Barrier(lookers)

    async def left_over(self):
        left = await super().left_over()
        await self.all.wait()
        return left


async def test_a_call_that_was_lost_with_its_process_is_told_as_such(
    books, memory, monkeypatch
):
    asked = Answering(open_=False)
    asking = asyncio.create_task(books.model(asked).complete(prompt(**WORK)))
    await asked.begun.wait()
    monkeypatch.setattr(llm_calls, "LOST_AFTER", timedelta())
    await books.another().settler.settle_left_over()
    [told] = await memory.events(LLMCallRecorded)
    assert (told.outcome, told.estimated) == ("lost", True)
    assert told.usage["input"] > 0
    again = Answering()
    await books.another().model(again).complete(prompt(**WORK))
    assert len(again.asked) == 1
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_answers_are_sealed_go_with_their_session_and_after_some_days(
    books, settled, memory
):
    asked = Answering()
    model = books.model(asked)
    for session in ("s", "t", None):
        await model.complete(prompt(**WORK | {"session": session}))
    held = await memory.log.calls._pool.fetch("SELECT * FROM log.llm_call")
    assert len(held) == 3
    assert all(b"Answer" not in row["response"] for row in held)
    assert all(b"How are you" not in bytes(row["record"]) for row in held)
    await settled()

    await memory.log.keys.destroy("w", session="s")
    await memory.log.calls.forget("w", "s")
    left = await memory.log.calls._pool.fetch(
        "SELECT session FROM log.llm_call WHERE response IS NOT NULL"
    )
    assert [row["session"] for row in left] == ["t"]
    await model.complete(prompt(**WORK))
    assert len(asked.asked) == 4
    await settled()

    assert await memory.log.calls.sweep(days=1) == 0
    await memory.log.calls._pool.execute(
        "UPDATE log.llm_call SET started_at = started_at - interval '8 days'"
    )
    assert await memory.log.calls.sweep(days=7) == 4
    await memory.log.calls.forget("w", None)


async def test_an_answer_whose_key_is_destroyed_is_asked_again(books, memory):
    asked = Answering()
    await books.model(asked).complete(prompt(**WORK))
    await memory.log.keys.destroy("w", session="s")
    await books.model(asked).complete(prompt(**WORK))
    assert len(asked.asked) == 2
