"""RS 14.2, invariant 6: a dream never comes earlier than it may, and always comes.

The log is real, time is moved by hand, and two servers take turns in looking what is
new: whatever is concluded, however often the process dies, models fail or somebody asks
for a dream, none that comes by itself begins within eight hours of the last completed
one or an hour of something new; and once there is enough and rest, one begins.
"""

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.decide import Decide
from domain.dream import DreamCompleted, DreamScheduled, DreamStarted
from domain.dreaming import Rest
from processors.dream_news import News
from processors.language_model import Unavailable
from processors.processor import Batch
from processors.schedule_dreams import DreamRules, ScheduleDreams
from tests.support.dreaming import dreaming

THRESHOLD = 3
RULES = DreamRules(
    threshold=THRESHOLD, rest=Rest(timedelta(hours=1), timedelta(hours=8))
)

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("conclude"), st.integers(1, 4)),
        st.tuples(st.just("wait"), st.integers(5, 300)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("fail"), st.integers(1, 2)),
        st.tuples(st.just("ask"), st.just(0)),
    ),
    max_size=14,
)


class Told:
    """News by the clock that is moved by hand, as the views would tell it."""

    def __init__(self, real, clock):
        self._real, self._clock = real, clock
        self.told = []

    async def head(self):
        return await self._real.head()

    async def since(self, pair, position):  # noqa: ARG002  there is one pair
        new = [at for number, at in self.told if number > position]
        return News(len(new), max(new, default=None))

    async def pairs_holding(self, workspace, conclusions):  # noqa: ARG002
        return [(workspace, "alice", "alice")]

    async def pairs_of_scope(self, *_):
        return []


class World:
    """One pair: what is concluded of it, and a process that may die at any time."""

    def __init__(self, dreams, number):
        self.dreams = dreams
        dreams.news = self.news = Told(dreams.news, dreams.clock)
        self.number = number
        self.names = itertools.count()
        self.fed = None
        self.started = []
        dreams.start_anew()
        # Another server, which learns of what this one did from the log alone.
        beside = Decide(dreams.memory.log.store)
        self.beside = ScheduleDreams(beside, self.news, RULES, dreams.clock)

    async def act(self, what, number):
        match what:
            case "conclude":
                for _ in range(number):
                    name = f"e{self.number}-{next(self.names)}"
                    await self.dreams.memory.conclude(name)
                    head = await self.dreams.memory.log.store.head()
                    self.news.told.append((head, self.dreams.clock()))
            case "wait":
                self.dreams.clock.pass_(minutes=number)
            case "restart":
                self.dreams.start_anew()
            case "fail":
                self.dreams.deduction.script += [Unavailable("the model")] * number
            case "ask":
                await self.dreams.ask()
        await self.follow()

    async def follow(self):
        """Feed the scheduler, and have what is due, until nothing more follows."""
        while True:
            store = self.dreams.memory.log.store
            page = await store.read_log(after=self.fed, limit=500)
            if not page:
                return
            self.fed = page[-1].position
            for each in page:
                if isinstance(each.event, self.beside.handles):
                    both = (self.beside, self.dreams.scheduling)
                    await both[each.position % 3 == 0](Batch("w/s", (each,)))
            await self.wake()

    async def wake(self):
        state = await self.dreams.state()
        for job in list(state.waiting.values()):
            found = await self.dreams.recorded(DreamScheduled)
            [scheduled] = [e for e in found if e.event.id == job.scheduled.id]
            before = await self.dreams.memory.log.store.head()
            await self.dreams.dream(scheduled)
            after = await self.dreams.memory.log.store.read_log(after=before, limit=100)
            for each in after:
                if isinstance(each.event, DreamStarted) and each.event.attempt == 1:
                    self.check(scheduled.event, state)

    def check(self, scheduled, state):
        """See that a dream that comes by itself comes neither too early nor in vain."""
        now = self.dreams.clock()
        self.started.append(now)
        if scheduled.trigger == "asked":
            return
        last = state.last("omni")
        newest = max(at for _, at in self.news.told)
        assert now - newest >= RULES.rest.idle
        if last.ended_at is not None:
            assert now - last.ended_at >= RULES.rest.between
        assert sum(n > last.read for n, _ in self.news.told) >= THRESHOLD


@pytest.fixture
async def dreams(log, log_dsn):
    async with dreaming(log, log_dsn, rules=RULES) as made:
        await made.memory.begin()
        yield made


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS)
async def test_no_dream_comes_too_early_and_each_comes(dreams, acts):
    world = World(dreams, await dreams.memory.log.store.head())
    world.fed = await dreams.memory.log.store.head()
    for what, number in acts:
        await world.act(what, number)
    dreams.deduction.script.clear()
    last = (await dreams.state()).last("omni")
    new = sum(n > last.read for n, _ in world.news.told)
    before = len(await dreams.recorded(DreamCompleted))
    await settle(world)
    state = await dreams.state()
    assert state.waiting == {}, "whatever waited has come"
    if new >= THRESHOLD:
        assert len(await dreams.recorded(DreamCompleted)) > before


async def settle(world):
    """Let days go by, in steps, in which nobody says anything."""
    for _ in range(40):
        world.dreams.start_anew()
        world.dreams.clock.pass_(minutes=45)
        await world.wake()
        await world.follow()
