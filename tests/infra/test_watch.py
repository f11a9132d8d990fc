"""A server that lost a part says which, and quotes nobody."""

import asyncio
import contextlib

import pytest

from infra.watch import Watch, WorkerEnded


async def _breaks():
    async with asyncio.TaskGroup() as group:
        group.create_task(_quotes())


async def _quotes():
    raise ValueError("what alice said")


async def _returns():
    pass


async def _lasts():
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (_breaks, r"the part ended by ValueError at test_watch:\d+: stopping"),
        (_returns, "the part ended: stopping"),
    ],
)
async def test_whoever_ends_is_named(work, said):
    watch = Watch()
    lasting = asyncio.create_task(_lasts())
    watch.add(lasting)
    watch.add(asyncio.create_task(work(), name="the part"))
    with pytest.raises(WorkerEnded, match=f"^{said}$"):
        await asyncio.wait_for(watch.broken(), 60)
    lasting.cancel()


async def test_one_that_was_cancelled_has_ended_too():
    watch = Watch()
    worker = asyncio.create_task(_lasts(), name="the part")
    watch.add(worker)
    worker.cancel()
    with pytest.raises(WorkerEnded, match="the part ended"):
        await asyncio.wait_for(watch.broken(), 60)


async def test_nothing_is_said_while_all_go_on():
    watch = Watch()
    worker = asyncio.create_task(_lasts())
    watch.add(worker)
    waiting = asyncio.create_task(watch.broken())
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    assert not done
    for task in (waiting, worker):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
