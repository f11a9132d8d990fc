"""Who waits for work on a loop is told when the loop is closed."""

import asyncio
import concurrent.futures
import threading

import pytest

from infra.postgres.loop_thread import LoopThread


def test_work_that_runs_when_it_is_closed_is_cancelled():
    loop, begun, ended = LoopThread(), threading.Event(), []

    async def endless():
        begun.set()
        await asyncio.Event().wait()

    def wait():
        try:
            loop.run(endless())
        except concurrent.futures.CancelledError as cancelled:
            ended.append(cancelled)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert begun.wait(60)
    loop.close()
    waiting.join(60)
    assert not waiting.is_alive()
    assert ended


def test_nothing_runs_once_it_is_closed():
    loop = LoopThread()
    loop.close()
    with pytest.raises(RuntimeError):
        loop.run(asyncio.sleep(0))
