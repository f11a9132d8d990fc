"""Who asks at the same time is answered by one question."""

import asyncio

import pytest

from infra.together import Together


async def test_all_who_are_woken_by_the_same_ask_once():
    asked, woken = [], asyncio.Event()

    async def ask(those):
        asked.append(sorted(those))
        return [10 * each for each in those]

    together = Together(ask)

    async def one(number):
        await woken.wait()
        return await together(number)

    ones = [asyncio.create_task(one(number)) for number in range(3)]
    await asyncio.sleep(0)
    woken.set()
    assert await asyncio.gather(*ones) == [0, 10, 20]
    assert await together(7) == 70
    assert asked == [[0, 1, 2], [7]]


async def test_what_fails_fails_for_all_of_them_and_for_nobody_after():
    failing = [OSError("away")]

    async def ask(those):
        if failing:
            raise failing.pop()
        return those

    together = Together(ask)
    found = await asyncio.gather(together(1), together(2), return_exceptions=True)
    assert [type(each) for each in found] == [OSError, OSError]
    assert await together(3) == 3


async def test_who_leaves_takes_no_answer_from_others():
    answering, asking = asyncio.Event(), asyncio.Event()

    async def ask(those):
        asking.set()
        await answering.wait()
        return those

    together = Together(ask)
    leaving, staying = (asyncio.create_task(together(n)) for n in (1, 2))
    await asking.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    answering.set()
    assert await staying == 2
