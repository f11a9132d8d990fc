"""Roll-ups are the same however the topic is cut, repeated and begun again."""

import itertools

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.analytics.counting import count_topic
from infra.analytics.store import RollUps
from infra.postgres.migrate import migrate_analytics
from tests.properties.test_views import HISTORIES
from tests.support.rollups import counted, history, recounted, stored, tables


class Killed(BaseException):
    """What stops a consumer between any two batches."""


@pytest.fixture
async def pool(database):
    await migrate_analytics(database.dsn())
    async with asyncpg.create_pool(database.dsn(), min_size=0, max_size=2) as opened:
        yield opened


def topic(rows, cuts, lives):
    """Subscriptions that cut and repeat as they like, and die after so many batches."""

    async def subscribe(after):
        lives_on = next(lives)
        for size, again in cuts:
            first = max(after - again, 0)
            batch = rows[first : after + size]
            if after >= len(rows):
                return
            after = batch[-1].position
            yield batch
            lives_on -= 1
            if lives_on == 0:
                raise Killed

    return subscribe


async def count(pool, rows, cuts, lives):
    roll_ups = RollUps(pool)
    await roll_ups.forget()
    subscribe = topic(rows, itertools.cycle(cuts), itertools.chain(lives, [0] * 99))
    while (await roll_ups.stands()).position < len(rows):
        try:
            await count_topic(subscribe, roll_ups, until=len(rows))
        except Killed:
            continue
    return await tables(pool), await counted(pool)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    HISTORIES,
    HISTORIES,
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 9)), min_size=1, max_size=9),
    st.lists(st.integers(1, 4), max_size=9),
    st.sampled_from(["sealed", "clear"]),
)
async def test_any_cut_any_restart_and_any_duplicate_count_the_same(
    pool, one, other, cuts, lives, content
):
    events = history(one, other)
    rows = stored(events, content=content)
    at_once, plain = await count(pool, rows, [(len(rows), 0)], [])
    cut, _ = await count(pool, rows, cuts, lives)
    assert cut == at_once
    assert plain == recounted(
        (event, row.recorded_at) for event, row in zip(events, rows, strict=True)
    )
