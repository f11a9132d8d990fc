"""Ends tasks that go on for ever."""

import asyncio
from typing import Any, Final

_AGAIN: Final = 2.0
"""Seconds a task gets to leave what it is in before it is cancelled once more."""


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they have ended, whatever they end with.

    One cancellation may be lost: a task group of Python 3.11 in which something fails
    while it is cancelled raises that failure only, and who goes on after a failure
    then goes on for ever.
    """
    left = {each for each in tasks if not each.done()}
    while left:
        for each in left:
            each.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)
