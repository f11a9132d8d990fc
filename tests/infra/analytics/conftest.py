"""Roll-ups in a database of their own."""

import asyncpg
import pytest

from infra.analytics.store import RollUps
from infra.postgres.migrate import migrate_analytics


@pytest.fixture
async def pool(database):
    await migrate_analytics(database.dsn())
    async with asyncpg.create_pool(database.dsn(), min_size=0, max_size=4) as opened:
        yield opened


@pytest.fixture
def roll_ups(pool):
    return RollUps(pool)
