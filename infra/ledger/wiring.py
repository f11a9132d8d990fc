"""Wires the ledger between the configured models and everybody who asks one."""

import asyncio
from contextlib import AsyncExitStack
from typing import Protocol

from uuid_utils.compat import uuid7

from commands.ports import Views
from commands.write import Write
from domain.budget import Budget, micros_of
from infra.ledger.ledger import Ledger
from infra.ledger.models import JournalledModels
from infra.ledger.settler import Settler
from infra.llm.find_model import FindModel
from infra.postgres.log import PostgresLog
from infra.settings import Settings
from infra.stopping import stop
from infra.watch import Watch
from processors.ports import TokenCounter


class Parts(Protocol):
    """What the ledger needs of the rest."""

    @property
    def log(self) -> PostgresLog: ...
    @property
    def write(self) -> Write: ...
    @property
    def views(self) -> Views: ...
    @property
    def tokens(self) -> TokenCounter: ...


def budget_of_all(settings: Settings) -> Budget:
    """Return what a workspace may spend that says nothing of it."""
    cost = settings.budget_max_cost_usd
    return Budget(
        max_cost=None if cost is None else micros_of(cost),
        max_tokens=settings.budget_max_tokens,
        window=settings.budget_window,
    )


def open_ledger(
    models: FindModel,
    parts: Parts,
    settings: Settings,
    watch: Watch,
    running: AsyncExitStack,
) -> JournalledModels:
    """Return the models, journalled and within budget until the stack ends.

    Then what was called is settled, as far as that takes no longer than a moment.
    """
    settler = Settler(parts.log.calls, parts.write.decide, parts.views)
    settling = asyncio.create_task(settler.run(), name="ledger of model calls")

    watch.add(settling)

    async def leave() -> None:
        await settler.settled()
        await stop(settling)

    running.push_async_callback(leave)
    ledger = Ledger(
        parts.log.calls,
        parts.log.keys,
        settler,
        otherwise=budget_of_all(settings),
        retry_seconds=settings.budget_retry_seconds,
        new_id=uuid7,
        clock=parts.write.clock,
    )
    return JournalledModels(models, ledger, settings, parts.tokens)
