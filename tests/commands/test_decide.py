"""An answer rests on what is written, also when it is that nothing is to be done."""

import asyncio

import pytest

from commands.decide import Decide, Reason
from commands.parents import watch_workspace
from commands.ports import WrongExpectedVersion
from domain.workspace import create_workspace
from tests.domain.stories import workspace_created
from tests.support.log import CAUSE

REASON = Reason(CAUSE)


class HeldStore:
    """The real store, whose appends wait for a word and may then fail."""

    def __init__(self, store):
        self._store = store
        self.may_go = asyncio.Event()
        self.failures = []
        self.submitted = asyncio.Semaphore(0)
        self._forget = lambda _: None

    def __getattr__(self, name):
        return getattr(self._store, name)

    def on_conflict(self, forget):
        self._forget = forget
        self._store.on_conflict(forget)

    def submit(self, request):
        self.submitted.release()
        return asyncio.ensure_future(self._later(request))

    async def _later(self, request):
        await self.may_go.wait()
        if self.failures:
            for each in request.streams:
                self._forget(each.stream.name)
            raise self.failures.pop()
        return await self._store.submit(request)


@pytest.fixture
def held(log):
    return HeldStore(log.store)


def creating(decide, uid):
    workspace = watch_workspace("w")
    created = workspace_created(metadata={"by": uid})

    def decision(states):
        return {workspace.stream: create_workspace(states[0], created)}

    return asyncio.ensure_future(decide("w", [workspace], decision, REASON))


async def within(awaitable, seconds=60):
    async with asyncio.timeout(seconds):
        return await awaitable


async def test_nothing_to_do_waits_for_the_append_it_rests_on(held):
    decide = Decide(held)
    first = creating(decide, "first")
    await within(held.submitted.acquire())
    second = creating(decide, "second")
    with pytest.raises(TimeoutError):
        await within(asyncio.shield(second), seconds=0.05)
    held.may_go.set()
    assert (await first).last == 1
    assert await second is None
    assert held.submitted.locked()
    assert decide.position_of([watch_workspace("w")]) == 1


async def test_should_that_append_fail_it_is_decided_again(held):
    decide = Decide(held)
    first = creating(decide, "first")
    await within(held.submitted.acquire())
    second = creating(decide, "second")
    held.failures.append(WrongExpectedVersion("somebody was faster"))
    held.may_go.set()
    outcomes = await asyncio.gather(first, second)
    assert [each is None for each in outcomes].count(True) == 1
    assert len(await held.read_stream("workspace-w")) == 1


async def test_a_stream_never_read_has_no_position(log):
    assert Decide(log.store).position_of([watch_workspace("w")]) == 0


async def test_a_stream_read_from_the_log_has_the_position_of_its_last_event(log):
    await creating(Decide(log.store), "first")
    decide = Decide(log.store)
    assert await creating(decide, "second") is None
    assert decide.position_of([watch_workspace("w")]) == 1
