"""RS 14.2, invariants 4, 5 and 10: nothing said is lost, counted twice or left out.

The log and views are real. Whatever is said, whoever comes and goes, however often the
model fails or the process dies between an answer and its record: what each holds counts
what it heard, summaries cover what was said without a gap, and no message is passed
over without a failure that can be seen and redriven.
"""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.decide import Decide
from domain.conclusion import ConclusionDerived, ConclusionReinforced
from domain.derivation import (
    DerivationCompleted,
    DerivationFailed,
    DerivationRedriven,
    DerivationRequested,
)
from domain.session import MessageAdded
from domain.summary import SummaryProduced
from processors.language_model import Malformed, ModelRefused, Unavailable
from processors.processor import Done
from processors.reasoner import Drawn, Fact, SummedUp
from processors.said_again import SaidAgain
from processors.summarize_session import SummarizeSession
from projections.derivation_ranges import list_stuck
from tests.processors.test_said_again import Meaning, Tokens
from tests.support.reactions import SAID_AT, Echo, Memory, at_once, batch, deriving
from tests.support.taking import Words, ground

TEXTS = ("tea", "green tea", "I ski", "I row")
FAILURES = (
    Unavailable("the model"),
    Malformed("the model"),
    ModelRefused("the model", "content_filter"),
    RuntimeError("killed"),
)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(0, 7)),
        st.tuples(st.just("fail"), st.integers(0, 3)),
        st.tuples(
            st.sampled_from(("follow", "restart", "redrive", "flush", "move", "mute")),
            st.just(0),
        ),
    ),
    min_size=4,
    max_size=25,
)


class Model(Echo):
    """Takes each message for a fact, unless it fails, or dies once it has answered."""

    def __init__(self):
        super().__init__()
        self.failures = []
        self.mute = False

    async def derive(self, window):
        if self.failures:
            raise self.failures.pop(0)
        own = [each for each in window.said if each.author in window.observed]
        facts = tuple(Fact(each.author, each.text, (each.id,)) for each in own)
        return Drawn(facts, self.engine)

    async def summarize(self, kind, previous, window, *, purpose=None):
        told = await super().summarize(kind, previous, window, purpose=purpose)
        return SummedUp("" if self.mute else told.text[:80], self.engine)


class World:
    """One session, what follows in it, and a process that may die at any time."""

    handles = (MessageAdded, DerivationRequested, DerivationRedriven)

    def __init__(self, made, session, fed):
        self.made, self.session = made, session
        self.fed = {"derive": fed, "summarize": fed}
        self.model, self.meaning = Model(), Meaning((TEXTS[0], TEXTS[1]))
        self.memory = Memory(made.log)
        self.heard, self.there = {}, False
        self.restart()

    def restart(self):
        decide = Decide(self.made.log.store)
        self.derive = deriving(
            self.memory,
            self.model,
            at_once(4),
            decide=decide,
            said_again=SaidAgain(self.meaning, Tokens()),
        )
        self.summarize = SummarizeSession(
            decide,
            self.made.log.store,
            self.model,
            tokens=Words(),
            clock=lambda: SAID_AT,
        )

    async def act(self, what, number):
        match what:
            case "say":
                author = ("alice", "bob")[number % 2]
                text = TEXTS[number // 2]
                [said] = await self.memory.say(
                    text, author=author, session=self.session, short_every=3
                )
                self.heard[said.event.id] = {author} | ({"cyd"} & {self._cyd()})
            case "fail":
                self.model.failures += [FAILURES[number]] * (3 if number == 1 else 1)
            case "follow":
                await self.follow()
            case "restart":
                self.restart()
            case "mute":
                self.model.mute = not self.model.mute
            case "move":
                await self.move()
            case _:
                await self.memory.ask(what, self.session)

    def _cyd(self):
        return "cyd" if self.there else ""

    async def move(self):
        if self.there:
            left = self.memory.leave("cyd", session=self.session)
            await left
        else:
            await self.memory.join("cyd", session=self.session, observe_others=True)
        self.there = not self.there

    async def follow(self):
        """Deliver what is new to each, as a feed does; True if both are done."""
        derived = await self._feed("derive", self.derive, self.handles)
        return await self._feed("summarize", self.summarize, MessageAdded) and derived

    async def _feed(self, name, processor, handles):
        found = await self.memory.recorded()
        new = [each for each in found if each.position > self.fed[name]]
        mine = [
            each
            for each in new
            if isinstance(each.event, handles) and each.event.session == self.session
        ]
        if mine:
            try:
                outcome = await processor(batch(*mine))
            except RuntimeError:
                self.restart()
                return False
            if outcome != Done():
                await self.is_visible(outcome)
                return False
        self.fed[name] = new[-1].position if new else self.fed[name]
        return True

    async def is_visible(self, outcome):
        if outcome.reason != "more waits":
            failed = await self.of(DerivationFailed)
            assert failed
            assert failed[-1].error in outcome.reason

    async def of(self, *kinds):
        found = await self.memory.events(*kinds)
        return [each for each in found if each.session == self.session]


@pytest.fixture
async def made(log, log_dsn):
    async with ground(log, log_dsn) as found:
        await found.begin()
        yield found


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS)
async def test_nothing_said_is_lost_counted_twice_or_left_out(made, acts):
    head = await made.log.store.head()
    world = World(made, f"s{head}", head)
    for what, number in acts:
        await world.act(what, number)
    if not world.heard:
        return
    world.model.failures.clear()
    await settle(world)
    await passed_over_is_visible(world)
    await world.memory.ask("redrive", world.session)
    await settle(world)
    assert await stuck(world) == []
    await each_message_is_derived_once(world)
    await each_counts_what_it_heard(world)
    covered = [(e.from_seq, e.to_seq) for e in await world.of(SummaryProduced)]
    assert all(b[0] == a[1] + 1 for a, b in pairwise([(0, 0), *covered]))


async def settle(world):
    for _ in range(20):
        if await world.follow():
            break
    else:
        raise AssertionError("it does not come to an end")
    await world.made.views.wait_for(await world.made.log.store.head(), 60)


async def stuck(world):
    async with world.made.readers.acquire() as db:
        return await list_stuck(db, "w", world.session, 100)


async def passed_over_is_visible(world):
    done = [e for e in await world.of(DerivationCompleted) if not e.again]
    ends = [0, *(each.last_seq for each in done)]
    assert [each.first_seq for each in done] == [end + 1 for end in ends[:-1]]
    assert ends[-1] == len(world.heard)
    cited = await evidence(world)
    said = await world.of(MessageAdded)
    seen = {
        seq
        for each in await stuck(world)
        for seq in range(each.first_seq, each.last_seq + 1)
    }
    assert all(each.id in cited or each.seq in seen for each in said)


async def evidence(world):
    told = await world.of(ConclusionDerived, ConclusionReinforced)
    return [each.message for event in told for each in event.evidence]


async def each_message_is_derived_once(world):
    assert sorted(await evidence(world)) == sorted(world.heard)


async def each_counts_what_it_heard(world):
    told = await world.of(ConclusionDerived, ConclusionReinforced)
    heard = {}
    for event in told:
        for peer in world.heard[event.evidence[-1].message]:
            key = (event.id, peer)
            heard[key] = heard.get(key, 0) + 1
    rows = await world.made.readers.fetch(
        "SELECT id, origin, observer, times_derived, to_position FROM conclusion"
        " WHERE tenant = 'w' AND session = $1 ORDER BY id, from_position",
        world.session,
    )
    now = [row for row in rows if row["to_position"] is None]
    assert {(r["origin"], r["observer"]): r["times_derived"] for r in now} == heard
    for before, after in pairwise(rows):
        if before["id"] == after["id"]:
            assert before["times_derived"] <= after["times_derived"]
