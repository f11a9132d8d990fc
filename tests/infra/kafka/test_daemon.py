"""Calls that block: in order, their outcome told, and no process waits for them."""

import asyncio
import subprocess
import sys
import threading
from functools import partial

import pytest

from infra.kafka.daemon import Daemon, aside

STUCK = """
import asyncio, time
from infra.kafka.daemon import aside
async def main():
    asking = asyncio.create_task(aside(lambda: time.sleep(600)))
    await asyncio.sleep(0)
    asking.cancel()
asyncio.run(main())
"""


def test_a_process_ends_though_a_call_does_not():
    subprocess.run([sys.executable, "-c", STUCK], check=True, timeout=120)


async def test_one_call_comes_after_another_and_what_is_cancelled_not_at_all():
    daemon, going_on, done = Daemon("test"), threading.Event(), []
    first = asyncio.create_task(daemon.do(going_on.wait))
    second, third = (
        asyncio.create_task(daemon.do(partial(done.append, n))) for n in (2, 3)
    )
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    daemon.end(partial(loop.call_soon_threadsafe, ended.set))
    going_on.set()
    assert await first
    await third
    await ended.wait()
    assert done == [3]


async def test_what_it_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 // 0)
