"""Dreams from beginning to end: failures, crashes, deadlines (RS 6, 13.1 W4-W7)."""

from datetime import timedelta

import pytest

from commands.workspace import ConfigureWorkspace, configure_workspace
from domain.conclusion import ConclusionDerived
from domain.dream import (
    DreamCancelled,
    DreamCompleted,
    DreamFailed,
    DreamScheduled,
    DreamStarted,
    SpecialistCompleted,
)
from domain.retraction import RetractionRecorded
from processors.language_model import BudgetExhausted, ModelRefused, Unavailable
from processors.processor import Batch, Done
from projections.dreams import count_dreams, find_due_dreams, list_dreams
from tests.support.dreaming import dreaming
from tests.support.scripted_model import calls


@pytest.fixture
async def dreams(log, log_dsn):
    async with dreaming(log, log_dsn) as made:
        await made.memory.begin()
        yield made


def deduce(content, *sources):
    item = {"content": content, "source_ids": list(sources)}
    return calls(("create_observations_deductive", {"observations": [item]}))


class Killed(BaseException):
    """The process is gone."""


def killed(_prompt):
    raise Killed


async def told(dreams, number=1):
    for n in range(number):
        await dreams.memory.conclude(f"e{await dreams.memory.log.store.head()}{n}")


async def scheduled(dreams):
    """Feed the scheduler what happened since it was last fed; what it scheduled."""
    page = await dreams.memory.log.store.read_log(
        after=getattr(dreams, "fed", 0), limit=5_000
    )
    dreams.fed = page[-1].position if page else 0
    for each in page:
        if isinstance(each.event, dreams.scheduling.handles):
            assert await dreams.scheduling(Batch("w/s", (each,))) == Done()
    head = await dreams.memory.log.store.head()
    assert await dreams.memory.views.wait_for(head, 60)
    return await dreams.recorded(DreamScheduled)


async def due(dreams):
    async with dreams.memory.readers.acquire() as db:
        return [e.id for e in await find_due_dreams(db, dreams.clock(), [], 9)]


async def test_a_failure_is_recorded_waited_after_and_taken_up_where_it_failed(dreams):
    await told(dreams, 2)
    dreams.deduction.script = [
        calls(("get_recent_observations", {})),
        deduce("new", "c1"),
        "Done",
    ]
    dreams.induction.script = [Unavailable("the model"), ModelRefused("m", "safety")]
    asked = await dreams.ask()
    events = await dreams.have(asked)
    [failed] = [e for e in events if isinstance(e, DreamFailed)]
    assert (failed.attempt, failed.specialist, failed.error) == (
        1,
        "induction",
        "unavailable",
    )
    assert failed.done == ("deduction",)
    assert dreams.later == failed.retry_at == dreams.clock() + timedelta(minutes=1)
    assert await due(dreams) == []
    assert await dreams.have(asked) == [], "it waits"
    dreams.clock.pass_(minutes=1)
    assert await due(dreams) == [asked.event.id]
    [_, failed] = await dreams.have(asked)
    assert (failed.attempt, failed.error) == (2, "refused: safety")
    assert failed.retry_at == dreams.clock() + timedelta(minutes=2)
    dreams.clock.pass_(minutes=2)
    events = await dreams.have(asked)
    assert [type(each) for each in events] == [
        DreamStarted,
        SpecialistCompleted,
        DreamCompleted,
    ]
    assert events[-1].created == {"deductive": 1}
    assert len(dreams.deduction.prompts) == 3, "who was done does not begin anew"
    assert await due(dreams) == []


async def test_after_so_many_attempts_it_is_given_up_and_may_be_asked_for_again(dreams):
    dreams.deduction.script = [Unavailable("the model")] * 3
    asked = await dreams.ask()
    for _ in range(3):
        events = await dreams.have(asked)
        dreams.clock.pass_(hours=1)
    assert events[-1].retry_at is None
    state = await dreams.state()
    assert state.waiting == {}
    assert state.last("omni").ended_at is None, "a failed dream is no rest"
    async with dreams.memory.readers.acquire() as db:
        [shown] = await list_dreams(db, "w", (None, None), 10)
        assert (shown.state, shown.reason) == ("given-up", "unavailable")
        counted = await count_dreams(db, "w")
    assert (counted.total, counted.completed) == (1, 1)
    assert isinstance((await dreams.have())[-1], DreamCompleted)


async def test_while_there_is_no_money_a_dream_waits_and_does_not_fail(dreams):
    dreams.deduction.script = [BudgetExhausted("the budget", 1_800)]
    asked = await dreams.ask()
    events = await dreams.have(asked)
    assert [type(each) for each in events] == [DreamScheduled, DreamStarted][1:]
    assert dreams.later == dreams.clock() + timedelta(minutes=30)
    assert isinstance((await dreams.have(asked))[-1], DreamCompleted)


async def test_killed_in_the_middle_it_goes_on_and_writes_nothing_twice(dreams):
    await told(dreams, 3)
    script = [
        calls(("get_recent_observations", {})),
        deduce("first", "c1"),
        deduce("second", "c2"),
        killed,
    ]
    asked = await dreams.ask()
    for _ in range(2):
        dreams.deduction.script = list(script)
        with pytest.raises(Killed):
            await dreams.have(asked)
        dreams.start_anew()
    dreams.deduction.script = [*script[:3], "Done"]
    await dreams.have(asked)
    found = await dreams.events(ConclusionDerived)
    drawn = [each.content for each in found if each.level == "deductive"]
    assert drawn == ["first", "second"]
    assert len(await dreams.events(DreamStarted)) == 1
    assert len({s.as_of for s in dreams.sights[:3]}) == 1, "it reads what it read"
    [completed] = await dreams.events(DreamCompleted)
    assert completed.created == {"deductive": 2}
    keys = [each.purpose.key for each in dreams.deduction.prompts]
    assert keys[:4] == keys[4:8] == keys[8:12]


async def test_killed_after_taking_back_it_takes_back_once_and_counts_it(dreams):
    await told(dreams, 2)
    delete = calls(("delete_observations", {"observation_ids": ["c3"]}))
    script = [calls(("get_recent_observations", {})), deduce("wrong", "c1"), delete]
    asked = await dreams.ask()
    dreams.deduction.script = [*script, killed]
    with pytest.raises(Killed):
        await dreams.have(asked)
    dreams.start_anew()
    dreams.deduction.script = [*script, "Done"]
    await dreams.have(asked)
    assert len(await dreams.events(RetractionRecorded)) == 1
    [completed] = await dreams.events(DreamCompleted)
    assert (completed.created, completed.deleted) == (
        {"deductive": 1},
        {"deductive": 1},
    )
    first, second = [
        [t.content for t in dreams.deduction.prompts[number].turns] for number in (3, 7)
    ]
    assert first == second, "what is asked again is asked in the same words"


async def test_killed_between_two_specialists_the_first_is_not_asked_again(dreams):
    asked = await dreams.ask()
    dreams.induction.script = [killed]
    with pytest.raises(Killed):
        await dreams.have(asked)
    dreams.start_anew()
    await dreams.have(asked)
    assert len(dreams.deduction.prompts) == 1
    assert [e.specialist for e in await dreams.events(SpecialistCompleted)] == [
        "deduction",
        "induction",
    ]


async def test_an_error_nobody_foresaw_is_recorded_by_its_name(dreams):
    asked = await dreams.ask()
    dreams.deduction.script = [KeyError("x")]
    with pytest.raises(KeyError):
        await dreams.have(asked)
    await dreams.dream.stumbled(asked, "KeyError")
    [failed] = await dreams.events(DreamFailed)
    assert (failed.error, failed.attempt) == ("KeyError", 1)
    dreams.clock.pass_(minutes=1)
    assert isinstance((await dreams.have(asked))[-1], DreamCompleted)


async def test_enough_that_is_new_makes_a_dream_due_an_hour_after_the_last(dreams):
    await told(dreams, 2)
    assert await scheduled(dreams) == []
    await told(dreams, 1)
    [first] = await scheduled(dreams)
    newest = (await dreams.recorded(ConclusionDerived))[-1].recorded_at
    assert first.event.due_at == newest + timedelta(hours=1)
    assert (first.event.trigger, first.event.counted) == ("threshold", 3)
    await told(dreams, 1)
    assert len(await scheduled(dreams)) == 1, "while one waits there is no other"
    dreams.clock.now = first.event.due_at
    assert await due(dreams) == [first.event.id]
    assert await dreams.have(first) == [], "something was concluded since"
    newest = (await dreams.recorded(ConclusionDerived))[-1].recorded_at
    assert dreams.later == newest + timedelta(hours=1)
    dreams.clock.now = dreams.later
    dreams.start_anew()
    assert isinstance((await dreams.have(first))[-1], DreamCompleted)
    async with dreams.memory.readers.acquire() as db:
        assert (await count_dreams(db, "w")).total == 1


async def test_what_only_waits_for_its_time_is_no_pending_work(dreams):
    await told(dreams, 3)
    await scheduled(dreams)
    async with dreams.memory.readers.acquire() as db:
        assert (await count_dreams(db, "w")).total == 0


async def test_what_was_concluded_during_a_dream_counts_for_the_next(dreams):
    """Nobody says anything more: it comes after eight hours all the same (W5)."""
    await told(dreams, 3)
    asked = await dreams.ask()

    async def meanwhile(task):
        await told(dreams, 3)
        return await real(task)

    real, dreams.dream._work = dreams.work, _Work(dreams.work, meanwhile)
    dreams.clock.now = (await dreams.recorded())[-1].recorded_at
    await dreams.have(asked)
    rested_at = dreams.clock()
    found = await scheduled(dreams)
    assert [e.event.trigger for e in found] == ["asked", "threshold"]
    assert found[1].event.due_at == rested_at + timedelta(hours=8)
    assert found[1].event.counted == 6


class _Work:
    def __init__(self, work, instead):
        self._work, self._instead = work, instead

    def engine(self, specialist):
        return self._work.engine(specialist)

    async def __call__(self, task):
        return await self._instead(task)


async def test_a_dream_that_was_asked_for_meanwhile_makes_another_needless(dreams):
    await told(dreams, 3)
    [waits] = await scheduled(dreams)
    asked = await dreams.ask()
    cancelled = (await dreams.events(DreamCancelled))[0]
    assert (cancelled.id, cancelled.reason) == (waits.event.id, "asked-for-now")
    dreams.clock.now = (await dreams.recorded())[-1].recorded_at
    await dreams.have(asked)
    assert await dreams.have(waits) == []
    assert len(await scheduled(dreams)) == 2


async def test_where_a_workspace_wants_no_dreams_none_comes(dreams):
    await told(dreams, 3)
    [waits] = await scheduled(dreams)
    off = ConfigureWorkspace(
        workspace="w", metadata=None, configuration={"dream": {"enabled": False}}
    )
    await configure_workspace(dreams.memory.write, off, dreams.memory.reason())
    dreams.clock.now = waits.event.due_at
    [cancelled] = await dreams.have(waits)
    assert (type(cancelled), cancelled.reason) == (DreamCancelled, "disabled")
    await told(dreams, 3)
    assert len(await scheduled(dreams)) == 1


async def test_retracting_never_makes_the_count_fall(dreams):
    await told(dreams, 2)
    first = (await dreams.events(ConclusionDerived))[0]
    await dreams.memory.retract(first.id)
    await told(dreams, 1)
    assert len(await scheduled(dreams)) == 1
