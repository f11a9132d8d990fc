"""One log as two processes have it that hear nothing of each other."""

from contextlib import AsyncExitStack

import pytest

from commands.decide import Decide
from commands.parents import watch_workspace
from domain.workspace import configure_workspace, create_workspace
from infra.postgres.log import LogSettings, PostgresLog
from tests.domain.stories import workspace_created

WORKSPACE = watch_workspace("w")


@pytest.fixture
async def both(log_dsn, master_key):
    """The log as two processes have it, neither of which announces anything."""
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(
                PostgresLog.open(log_dsn, master_key, LogSettings(announces=False))
            )
            for _ in range(2)
        ]
        yield [Decide(each.store) for each in opened]


def founding(states):
    return {WORKSPACE.stream: create_workspace(states[0], workspace_created())}


def naming(name):
    def decision(states):
        changed = configure_workspace(states[0], "w", {"name": name}, None)
        return {WORKSPACE.stream: changed}

    return decision
