"""How workspaces stand to their budgets."""

from collections.abc import Callable
from datetime import datetime

from domain.budget import Budget, BudgetStanding, begin_of, budget_of
from infra.postgres.llm_calls import CallJournal


class Budgets:
    """Tells how a workspace stands; fulfils ``read_api.ports.FindBudget``."""

    def __init__(
        self, journal: CallJournal, otherwise: Budget, clock: Callable[[], datetime]
    ) -> None:
        self._journal = journal
        self._otherwise = otherwise
        self._clock = clock

    async def __call__(self, workspace: str) -> BudgetStanding:
        looked = await self._journal.look(workspace, None, None)
        budget, now = budget_of(looked.configuration, self._otherwise), self._clock()
        since = begin_of(budget.window, now)
        spent, aside, refused = await self._journal.spent(workspace, since)
        return BudgetStanding(
            budget=budget, spent=spent, aside=aside, refused=refused, at=now
        )
