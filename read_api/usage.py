"""What models took in a workspace, and how it stands to its budget."""

from datetime import date, datetime
from typing import Literal

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from pydantic import Field

from domain.budget import MICROS, BudgetStanding, Window, end_of
from projections.ports import Database, Views
from projections.spending import Group, Spending, Wanted, sum_up
from read_api.asking import Named
from read_api.moment import answer, reached
from read_api.pages import PageQuery
from read_api.ports import FindBudget, Injected, Parse


class UsageQuery(PageQuery):
    """Which calls are summed up, and by what; days are of UTC, both included."""

    group_by: Literal["feature", "peer", "model", "day"] = "feature"
    first_day: date | None = Field(default=None, description="From this day on")
    last_day: date | None = Field(default=None, description="Up to this day")
    feature: Named | None = None
    peer_id: Named | None = None
    model: Named | None = None


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one group and what they took.

    ``key`` is the feature, the peer ("" for none), ``transport/model`` or the day.
    ``input_tokens`` count ``cached_tokens``, ``output_tokens`` ``reasoning_tokens``.
    ``requests`` counts what was sent, ``failed_calls`` the calls without an answer.
    ``cost_usd`` is of the calls that had a price, ``unpriced_calls`` counts the
    others; of ``estimated_calls`` nobody told the tokens. ``latency_ms`` is of all
    together.
    """

    key: str
    calls: int
    failed_calls: int
    requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    cost_usd: float
    unpriced_calls: int
    estimated_calls: int
    latency_ms: float


class BudgetShown(msgspec.Struct, frozen=True, kw_only=True):
    """How a workspace stands to its budget now; null caps are none.

    ``spent`` counts what is ``set_aside`` for calls under way. While ``state`` is
    ``used up`` no model is asked, and ``message`` says it in words.
    """

    state: Literal["no cap", "open", "used up"]
    message: str | None
    window: Window
    renews_at: datetime | None
    max_cost_usd: float | None
    max_tokens: int | None
    spent_usd: float
    spent_tokens: int
    set_aside_usd: float
    set_aside_tokens: int


class UsagePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page as any other (HC 1.9), with the sum of all groups, and the budget."""

    items: list[UsageRow]
    total: int
    page: int
    size: int
    pages: int
    totals: UsageRow
    budget: BudgetShown


@get(
    "/v3/workspaces/{workspace:str}/usage",
    opt={"query": UsageQuery},
    summary="What models took",
)
async def get_usage(
    workspace: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
    find_budget: Injected[FindBudget],
) -> Response[UsagePage]:
    """Sum up what calls of models took; the budget is always that of now.

    What was spent in a session stays spent when the session is erased.
    """
    query = parse.query(UsageQuery)
    moment = await reached(views, query)
    wanted = _wanted(workspace, query, moment.as_of)
    offset = min((query.page - 1) * query.size, 2**62)
    async with database.acquire() as db:
        found = await sum_up(db, wanted, query.size, offset)
    page = UsagePage(
        items=[usage_row(each) for each in found.groups],
        total=found.total,
        page=query.page,
        size=query.size,
        pages=-(-found.total // query.size),
        totals=usage_row(found.whole),
        budget=budget_shown(await find_budget(workspace)),
    )
    return answer(page, moment)


def _wanted(workspace: str, query: UsageQuery, as_of: int) -> Wanted:
    group: Group = query.group_by
    return Wanted(
        tenant=workspace,
        groups=(group,),
        first=query.first_day,
        last=query.last_day,
        feature=query.feature or None,
        peer=query.peer_id or None,
        model=query.model or None,
        as_of=as_of,
    )


def usage_row(spending: Spending) -> UsageRow:
    """Show what one group took."""
    return UsageRow(
        key="".join(spending.group),
        calls=spending.calls,
        failed_calls=spending.failed,
        requests=spending.attempts,
        input_tokens=spending.input,
        output_tokens=spending.output,
        cached_tokens=spending.cached,
        reasoning_tokens=spending.reasoning,
        cost_usd=spending.cost / MICROS,
        unpriced_calls=spending.unpriced,
        estimated_calls=spending.estimated,
        latency_ms=spending.latency / 1_000,
    )


def budget_shown(standing: BudgetStanding) -> BudgetShown:
    """Show how a workspace stands to its budget."""
    budget, told = standing.budget, standing.told
    state: Literal["no cap", "open", "used up"] = "open" if told is None else "used up"
    cost = budget.max_cost
    return BudgetShown(
        state=state if budget.is_capped else "no cap",
        message=told,
        window=budget.window,
        renews_at=end_of(budget.window, standing.at),
        max_cost_usd=None if cost is None else cost / MICROS,
        max_tokens=budget.max_tokens,
        spent_usd=standing.spent.cost / MICROS,
        spent_tokens=standing.spent.tokens,
        set_aside_usd=standing.aside.cost / MICROS,
        set_aside_tokens=standing.aside.tokens,
    )
