"""No call is made that a workspace's budget has no room for, whoever makes it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.budget import Budget, begin_of
from domain.call import LLMCallRecorded
from domain.workspace import WorkspaceConfigured, WorkspaceCreated
from infra.settings.price import Price
from processors.language_model import BudgetExhausted, Usage
from tests.support.ledgers import Answering, prompt
from tests.support.projecting import append

GENTLY = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


async def asked_at_once(models, number, **asked):
    """Ask so many times at once; return how many were answered."""
    answers = await asyncio.gather(
        *(
            models[each % len(models)].complete(prompt(**asked))
            for each in range(number)
        ),
        return_exceptions=True,
    )
    refused = [each for each in answers if isinstance(each, BudgetExhausted)]
    failed = [each for each in answers if isinstance(each, BaseException)]
    assert len(failed) == len(refused), failed
    return number - len(refused)


async def spent(books):
    whole, aside, _ = await books.log.calls.spent("w", None)
    return whole, aside


async def test_nothing_is_sent_that_does_not_fit(books):
    asked = Answering()
    model = books.model(asked, Budget(max_tokens=20))
    with pytest.raises(BudgetExhausted) as refused:
        await model.complete(prompt(max_tokens=50))
    assert asked.asked == []
    assert str(refused.value).startswith("budget used up: 0 of 20 tokens this month")
    assert refused.value.retry_after == 30


async def test_what_was_too_large_uses_nothing_up_once_something_else_fits(books):
    model = books.model(Answering(Usage(input=5, output=5)), Budget(max_tokens=200))
    with pytest.raises(BudgetExhausted):
        await model.complete(prompt(max_tokens=500))
    *_, refused = await books.log.calls.spent("w", None)
    assert refused.tokens > 500
    await model.complete(prompt(max_tokens=50))
    *_, refused = await books.log.calls.spent("w", None)
    assert refused is None


async def test_what_is_spent_counts_from_the_moment_it_is(books):
    """Set aside, then spent in the journal, then in the views: always once."""
    asked = Answering(Usage(input=10, output=10), open_=False)
    model = books.model(asked)
    asking = asyncio.create_task(model.complete(prompt(max_tokens=100)))
    await asked.begun.wait()
    whole, aside = await spent(books)
    assert whole == aside
    assert whole.tokens > 100
    asked.may.set()
    await asking
    await books.log.calls.finish([books.settler._waiting[0][1]])
    for settles in (False, True):
        if settles:
            await books.settler.settle()
        whole, aside = await spent(books)
        assert (whole.tokens, whole.cost, aside.tokens) == (20, 110, 0)


async def test_many_at_once_in_two_processes_never_exceed_a_budget(books):
    """Each sets aside more than it takes: none is made that might not fit."""
    each = Usage(input=10, output=50)
    budget = Budget(max_tokens=1_000)
    models = [
        books.model(Answering(each), budget),
        books.another().model(Answering(each), budget),
    ]
    made = await asked_at_once(models, 60, max_tokens=50)
    whole, _ = await spent(books)
    assert 0 < made < 60
    assert whole.tokens <= 1_000
    while more := await asked_at_once(models, 4, max_tokens=50):
        made += more
        await books.settler.settle()
    whole, _ = await spent(books)
    assert made * 60 <= 1_000
    assert whole.tokens <= 1_000
    assert whole.tokens > 1_000 - 3 * 100


@GENTLY
@given(
    cap=st.integers(0, 3_000),
    waves=st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=5),
    used=st.integers(1, 50),
)
async def test_money_spent_never_exceeds_its_cap_whatever_is_settled_when(
    books, cap, waves, used
):
    budget = Budget(max_cost=cap)
    workspace = f"w{cap}-{used}-{len(waves)}"
    models = [
        kept.model(Answering(Usage(input=4, output=used)), budget)
        for kept in (books, books.another())
    ]
    for number, settles in waves:
        await asked_at_once(models, number, workspace=workspace)
        whole, _, _ = await books.log.calls.spent(workspace, None)
        assert whole.cost <= cap
        if settles:
            await books.settler.settle()


async def test_a_workspace_spends_for_itself_and_says_its_own_cap(books, memory):
    born = datetime(2026, 1, 1, tzinfo=UTC)
    position = await append(
        memory.log,
        [
            WorkspaceCreated(
                workspace="w",
                uid="u",
                created_at=born,
                configuration={"budget": {"max_tokens": 0}},
            )
        ],
    )
    assert await books.views.wait_for(position, 60)
    model = books.model(Answering(), Budget(max_tokens=10_000))
    with pytest.raises(BudgetExhausted):
        await model.complete(prompt())
    await model.complete(prompt(workspace="v"))
    raised = WorkspaceConfigured(
        workspace="w", metadata={}, configuration={"budget": {"max_tokens": 500}}
    )
    assert await books.views.wait_for(await append(memory.log, [raised]), 60)
    await model.complete(prompt())


async def test_a_budget_begins_anew_with_its_window(books):
    budget = Budget(max_tokens=300, window="day")
    model = books.model(Answering(Usage(input=150, output=50)), budget)
    await model.complete(prompt())
    await books.settler.settle()
    with pytest.raises(BudgetExhausted) as refused:
        await model.complete(prompt(max_tokens=100))
    assert "200 of 300 tokens today; renews" in str(refused.value)
    books.now += timedelta(days=1)
    await model.complete(prompt(max_tokens=100))
    await books.settler.settle()
    since = begin_of("day", books.now)
    assert (await books.log.calls.spent("w", since))[0].tokens == 200


async def test_a_budget_in_money_lets_no_model_without_a_price_pass(books, memory):
    asked = Answering()
    budget = Budget(max_cost=10**9)
    model = books.model(asked, budget, {"another": Price(input=1, output=1)})
    with pytest.raises(BudgetExhausted, match="the model m has no price"):
        await model.complete(prompt())
    assert asked.asked == []
    unpriced = books.model(asked, Budget(max_tokens=10**9), {})
    await unpriced.complete(prompt())
    await books.settler.settle()
    [told] = await memory.events(LLMCallRecorded)
    assert told.call.cost_usd_micros is None
    [used] = await books.rows("SELECT unpriced, cost, tokens FROM llm_spend")
    assert used == {"unpriced": 1, "cost": 0, "tokens": 110}


async def test_what_was_paid_for_is_answered_though_nothing_is_left(books):
    work = {"key": "s/1-2", "session": "s"}
    model = books.model(Answering(), Budget(max_tokens=200))
    first = await model.complete(prompt(**work))
    with pytest.raises(BudgetExhausted):
        await model.complete(prompt(max_tokens=100))
    assert await model.complete(prompt(**work)) == first
