"""What is built on what is just being taken back falls with it, and comes back."""

import pytest

from domain.retraction import RetractionRecorded, RetractionUndone
from processors.close_retractions import CloseRetractions
from processors.processor import Batch, Done
from tests.support.taking import ground


@pytest.fixture
async def ground_(log, log_dsn):
    async with ground(log, log_dsn) as made:
        yield made


async def close(memory):
    """Give the processor all units there are, twice."""
    events = await memory.log.store.read_log(after=0, limit=1_000)
    kinds = (RetractionRecorded, RetractionUndone)
    units = [e for e in events if isinstance(e.event, kinds)]
    process = CloseRetractions(memory.decide, memory.reach)
    for _ in range(2):
        assert await process(Batch("w", tuple(units))) == Done()


class Behind:
    """Says of what falls what was known before more was built on it."""

    def __init__(self, reach, falling):
        self._reach, self._falling = reach, falling

    def __getattr__(self, name):
        return getattr(self._reach, name)

    async def falling(self, *_):
        return self._falling


async def test_what_was_built_on_it_meanwhile_falls_and_comes_back_with_it(ground_):
    memory = ground_
    await memory.begin()
    await memory.conclude("a", cites=["m1"])
    known = await memory.preview("a")
    await memory.conclude("late", "a", session=None)
    await memory.conclude("later", "late", session="t")
    before, reach = await memory.live(), memory.reach
    memory.reach = Behind(reach, known)
    done = await memory.retract("a")
    memory.reach = reach
    assert set(await memory.live()) == {"late", "later"}
    await close(memory)
    assert await memory.live() == {}
    await memory.undo(done.unit)
    assert await memory.live() == before
    await close(memory)
    assert await memory.live() == before


async def test_another_process_is_told_what_this_one_decided(ground_):
    memory = ground_
    await memory.begin()
    await memory.conclude("a", cites=["m1"])
    await memory.conclude("b", cites=["m2"])
    here, there = memory.write.decide, type(memory.decide)(memory.log.store)
    await memory.sum_up("S1", 2)
    memory.decide = there
    stale = [await memory.summary(), await memory.withheld()]
    assert stale == ["S1", set()]
    memory.decide = here
    await memory.quarantine({"peer_id": "alice"})
    memory.decide = there
    assert await memory.withheld() == set()
    await close(memory)
    assert (await memory.summary(), await memory.withheld()) == (None, {"m1", "m2"})


class Unaware(Behind):
    """Says of what comes back that it is supported, as it was a moment ago."""

    async def unsupported(self, *_):
        return []


async def test_what_came_back_while_its_ground_was_taken_falls_with_that(ground_):
    memory = ground_
    await memory.begin()
    await memory.conclude("a", cites=["m1"])
    await memory.conclude("b", "a", session=None)
    first = await memory.retract("b")
    ground_taken = await memory.retract("a")
    reach = memory.reach
    memory.reach = Unaware(reach, None)
    await memory.undo(first.unit)
    memory.reach = reach
    assert set(await memory.live()) == {"b"}
    await close(memory)
    assert await memory.live() == {}
    await memory.undo(ground_taken.unit)
    assert set(await memory.live()) == {"a", "b"}
