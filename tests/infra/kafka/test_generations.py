"""Generations of the topic: one serves, one follows it, and who is late is told."""

import asyncpg
import pytest

from infra.kafka.generations import Generations, Superseded
from infra.settings import Settings

CHOSEN = Settings(_env_file=None, kafka_topic="memory")


@pytest.fixture
async def generations(log_dsn):
    async with asyncpg.create_pool(log_dsn, min_size=1, max_size=2) as pool:
        yield Generations(pool, CHOSEN)


async def test_the_first_serves_and_there_is_one(generations):
    assert await generations.serving() is None
    await generations.begin(3)
    await generations.begin(5)
    [first] = await generations.all()
    assert first == await generations.serving()
    assert (first.topic, first.partitions, first.state) == ("memory", 3, "serving")


async def test_what_is_in_the_topic_is_moved_by_who_knows_where_it_was(generations):
    await generations.begin(2)
    first = await generations.serving()
    moved = await generations.move(first, 9, (9, 7))
    assert moved == await generations.serving()
    assert (moved.position, moved.tails) == (9, (9, 7))
    with pytest.raises(Superseded):
        await generations.move(first, 5, (5, 4))


async def test_the_next_serves_from_where_the_former_ends(generations):
    await generations.begin(2)
    first = await generations.move(await generations.serving(), 9, (9, 7))
    second = await generations.turn(await generations.add(4), "full")
    assert second.topic == "memory-g2"
    await generations.change_over(first, second, lost=False)
    former, serving = await generations.all()
    assert (former.state, former.ended_at) == ("ended", 9)
    assert (serving.state, serving.partitions) == ("serving", 4)
    with pytest.raises(Superseded):
        await generations.move(first, 10, (10, 7))


async def test_a_lost_one_ends_nowhere(generations):
    await generations.begin(2)
    second = await generations.add(2)
    await generations.change_over(await generations.serving(), second, lost=True)
    former, serving = await generations.all()
    assert (former.state, former.ended_at, serving.state) == ("lost", None, "serving")


async def test_two_changes_do_not_both_happen(generations):
    await generations.begin(2)
    first, second = await generations.serving(), await generations.add(4)
    await generations.change_over(first, second, lost=False)
    third = await generations.add(8)
    with pytest.raises(Superseded):
        await generations.change_over(first, third, lost=False)
    assert [each.state for each in await generations.all()] == [
        *("ended", "serving", "filling"),
    ]
