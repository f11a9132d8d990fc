"""A request cut off by the server's end is told so."""

import asyncio

import pytest

from infra.http.closing import answered_when_closing

HTTP = {"type": "http"}
START = {"type": "http.response.start", "status": 200, "headers": []}


def asked(app, scope=HTTP):
    """Ask; return what is sent, the task, and an event set once the app waits."""
    sent, waiting = [], asyncio.Event()

    async def send(message):
        sent.append(message)

    async def asgi(_scope, _receive, send):
        await app(send)
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(answered_when_closing(asgi)(scope, None, send))
    return sent, task, waiting


async def silent(_send):
    pass


async def begins(send):
    await send(START)


async def test_who_was_not_answered_yet_gets_503():
    sent, task, waiting = asked(silent)
    await waiting.wait()
    task.cancel()
    await task
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]
    assert b"detail" in sent[1]["body"]


@pytest.mark.parametrize(("app", "scope"), [(begins, HTTP), (silent, {"type": "x"})])
async def test_a_begun_answer_is_cut_off(app, scope):
    sent, task, waiting = asked(app, scope)
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sent == ([START] if app is begins else [])
