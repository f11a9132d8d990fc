"""A deployment may do without dreams; an erased pair may dream anew."""

import pytest

from commands.decide import Decide, Reason
from commands.dream import ScheduleDream, schedule_dream
from commands.ports import Limits
from commands.workspace import CreateWorkspace, create_workspace
from commands.write import Write
from domain.dream import DreamScheduled
from domain.errors import NotFound, Refused
from domain.event import tag_of
from tests.support.application import CountedIds, SteppingClock, WaitedFor, WordCounter
from tests.support.log import CAUSE

REASON = Reason(CAUSE)


def write_over(log, **limits):
    return Write(
        Decide(log.store),
        store=log.store,
        views=WaitedFor(),
        clock=SteppingClock(),
        new_id=CountedIds(),
        tokens=WordCounter(),
        limits=Limits(**limits),
    )


def dream(workspace="w", kind="omni"):
    return ScheduleDream(
        workspace=workspace,
        observer="alice",
        observed="alice",
        kind=kind,
        rebuild=False,
        session=None,
    )


async def made(write):
    command = CreateWorkspace(workspace="w", metadata={}, configuration={})
    await create_workspace(write, command, REASON)


async def test_dreams_switched_off_are_refused_before_all_else(log):
    write = write_over(log, dreams=False)
    with pytest.raises(Refused) as refused:
        await schedule_dream(write, dream("nowhere"), REASON)
    assert str(refused.value) == "Dreams are not enabled in the system configuration"
    assert not isinstance(refused.value, NotFound)


async def test_a_waiting_dream_is_not_scheduled_twice(log):
    write = write_over(log)
    await made(write)
    first = await schedule_dream(write, dream(), REASON)
    again = await schedule_dream(write, dream(), REASON)
    other = await schedule_dream(write, dream(kind="card_refresh"), REASON)
    assert [len(each.events) for each in (first, again, other)] == [1, 0, 1]
    recorded = await log.store.read_log(after=0, limit=10)
    assert [tag_of(each.event) for each in recorded].count(tag_of(DreamScheduled)) == 2


async def test_an_unknown_workspace_dreams_of_nothing(log):
    with pytest.raises(NotFound, match="Workspace w not found"):
        await schedule_dream(write_over(log), dream(), REASON)
    assert await log.store.head() == 0
