"""Whoever waits for a position is told once it is reached, and leaves no trace."""

import asyncio

import pytest

from infra.milestones import Milestones


async def waiting(milestones, *positions):
    tasks = [asyncio.create_task(milestones.wait(each, 60.0)) for each in positions]
    await asyncio.sleep(0)
    return tasks


async def test_only_those_whose_position_is_reached_go_on():
    milestones = Milestones()
    first, third, second = await waiting(milestones, 1, 3, 2)
    milestones.reach(2)
    assert await first
    assert await second
    assert not third.done()
    milestones.reach(9)
    assert await third


async def test_a_wait_that_ends_at_its_bound_or_is_given_up_leaves_nothing():
    milestones = Milestones()
    (kept,) = await waiting(milestones, 50)
    for _ in range(100):
        assert not await milestones.wait(10, 0)
    (given_up,) = await waiting(milestones, 7)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert len(milestones._waiting) <= 3
    milestones.reach(50)
    assert await kept
    assert milestones._waiting == []


async def test_the_count_of_those_who_left_stays_right():
    milestones = Milestones()
    tasks = await waiting(milestones, *range(100))
    for task in tasks[::3]:
        task.cancel()
    await asyncio.gather(*tasks[::3], return_exceptions=True)
    milestones.reach(1_000)
    assert all(await asyncio.gather(*(t for t in tasks if not t.cancelled())))
    assert (milestones._gone, milestones._waiting) == (0, [])
