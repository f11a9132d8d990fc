"""A stream that cannot be sent leaves nothing behind that still works for it."""

import asyncio

import pytest

from commands.routes.sse import EventStream


@pytest.mark.parametrize("failing", [False, True])
async def test_who_cannot_be_told_ends_the_work(failing):
    ended = asyncio.Event()

    async def events():
        try:
            await asyncio.Event().wait()
            yield {"done": True}
        finally:
            ended.set()

    async def gone():
        return {"type": "http.disconnect"}

    async def send(_event):
        if failing:
            raise OSError("gone")

    before = asyncio.all_tasks()
    sending = EventStream(events(), 1)._send({}, gone, send)
    await asyncio.gather(sending, return_exceptions=failing)
    assert ended.is_set()
    assert asyncio.all_tasks() == before
