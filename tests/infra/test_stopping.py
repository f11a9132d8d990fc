"""What goes on for ever ends when it is told to, though a cancellation is lost."""

import asyncio

import pytest

from infra import stopping
from infra.stopping import stop


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(stopping, "_AGAIN", 0.05)


async def fails_when_it_is_cancelled():
    try:
        await asyncio.Event().wait()
    finally:
        raise OSError


async def goes_on_after(*tries):
    """Work in a task group for ever, whatever fails in it, as a feed does."""
    while True:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(tries[0]() if tries else asyncio.sleep(60))
        except* OSError:
            tries = tries[1:]


async def test_a_task_group_that_fails_while_it_is_cancelled_does_not_go_on_for_ever():
    going = asyncio.create_task(goes_on_after(fails_when_it_is_cancelled))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await stop(going)
    assert going.cancelled()


async def test_all_have_ended_and_nobody_is_told_what_with():
    async def fails():
        raise ValueError

    tasks = [asyncio.create_task(fails()), asyncio.create_task(asyncio.sleep(60))]
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await stop(*tasks)
    assert all(each.done() for each in tasks)


async def test_there_may_be_none():
    await stop()
