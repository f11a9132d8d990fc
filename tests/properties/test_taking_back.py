"""Whatever is taken back and undone, what holds has what it needs (RS 14.2)."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.conclusion import ConclusionReinforced, Evidence
from domain.errors import DomainError
from domain.names import conclusion_stream
from domain.support import still_stands
from tests.support.reactions import SAID_AT
from tests.support.taking import ENGINE, ground

LEVELS = ("deductive", "inductive", "contradiction")
MESSAGES = 4
ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "say",
                "build",
                "build",
                "repeat",
                "retract",
                "own",
                "correct",
                "quarantine",
                "undo",
                "undo",
            ]
        ),
        st.integers(0, 50),
        st.integers(0, 50),
    ),
    min_size=10,
    max_size=25,
)


class Play:
    """One story of a session of its own, in a log that others were told in before."""

    def __init__(self, memory, number):
        self.memory, self.session = memory, f"s{number}"
        self.messages = [f"{self.session}m{n}" for n in range(1, MESSAGES + 1)]
        self.made, self.units, self.counted = [], [], {}
        self.bobs = set()

    async def act(self, what, one, other):
        try:
            await getattr(self, what)(one, other)
        except DomainError:
            return  # refused: nothing was written
        finally:
            await self.holds()

    async def say(self, one, other):
        name, for_bob = f"{self.session}c{len(self.made)}", other % 4 == 0
        session = None if for_bob else self.session
        evidence = self.cites(one)
        await self.memory.conclude(name, session=session, evidence=evidence)
        self.add(name, for_bob=for_bob)

    def cites(self, number):
        """Name one or two messages."""
        first = number % MESSAGES
        named = {first, (first + number // MESSAGES % 2) % MESSAGES}
        return tuple(
            Evidence(self.messages[n], self.session, n + 1) for n in sorted(named)
        )

    async def build(self, one, other):
        """Infer something for alice, or for bob, from what the same one holds."""
        live, for_bob = await self.live(), other % 3 == 0
        theirs = [m for m in self.made if m in live and (m in self.bobs) == for_bob]
        built_on = theirs[one % 4 :: 2][:3]
        if not built_on:
            return
        name = f"{self.session}c{len(self.made)}"
        session = None if for_bob else self.session
        level = LEVELS[other // 3 % 3]
        await self.memory.conclude(name, *built_on, session=session, level=level)
        self.add(name, for_bob=for_bob)

    def add(self, name, *, for_bob):
        self.made.append(name)
        if for_bob:
            self.bobs.add(name)

    async def repeat(self, one, _other):
        live = await self.live()
        known = [each for each in self.made if each in live]
        if known:
            event = ConclusionReinforced(
                workspace="w",
                session=self.session,
                id=known[one % len(known)],
                observed="alice",
                occurred_at=SAID_AT,
                engine=ENGINE,
                evidence=self.cites(one),
            )
            await self.memory.append(conclusion_stream("w", self.session), event)

    async def retract(self, one, _other):
        await self.take(self.memory.retract, one)

    async def own(self, one, _other):
        await self.take(self.memory.retract, one, everywhere=False)

    async def take(self, act, one, **more):
        if self.made:
            done = await act(self.made[one % len(self.made)], **more)
            self.units.append(done.unit)

    async def correct(self, one, other):
        if self.made:
            named = self.made[one % len(self.made)]
            done = await self.memory.correct(named, f"right {other}")
            self.add(done.recorded.event.id, for_bob=named in self.bobs)
            self.units.append(done.retracted.unit)

    async def quarantine(self, one, _other):
        filters = {"session_id": self.session, "token_count": one % 3 + 1}
        done = await self.memory.quarantine(filters)
        self.units.append(done.unit)

    async def undo(self, one, _other):
        if self.units:
            await self.memory.undo(self.units[one % len(self.units)])

    async def live(self):
        return {name: row for name, row in (await self.rows()).items() if row["live"]}

    async def rows(self):
        memory = self.memory
        await memory.views.wait_for(await memory.log.store.head(), 60)
        found = await memory.readers.fetch(
            "SELECT DISTINCT ON (id) id, origin, level, sources, times_derived,"
            " to_position IS NULL AS live FROM conclusion WHERE tenant = 'w'"
            " ORDER BY id, from_position DESC"
        )
        return {row["id"]: row for row in found}

    async def holds(self):
        """Check that each has what it needs, and that nothing counts less."""
        rows = await self.rows()
        live = {each for row in rows.values() if row["live"] for each in self.ids(row)}
        for row in rows.values():
            if row["live"]:
                left = sum(source in live for source in row["sources"])
                total = len(row["sources"])
                assert still_stands(row["level"], total, left), row["id"]
            before = self.counted.get(row["id"], 1)
            assert row["times_derived"] >= before
            self.counted[row["id"]] = row["times_derived"]

    def ids(self, row):
        return {row["id"], row["origin"]}


@pytest.fixture
async def memory(log, log_dsn):
    async with ground(log, log_dsn) as made:
        await made.begin()
        yield made


numbers = itertools.count()


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS)
async def test_what_holds_has_what_it_needs(memory, acts):
    play = Play(memory, next(numbers))
    await memory.say(*play.messages, session=play.session)
    for act in acts:
        await play.act(*act)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS, last=st.integers(0, 50))
async def test_undone_in_turn_everything_is_as_it_was(memory, acts, last):
    play = Play(memory, next(numbers))
    await memory.say(*play.messages, session=play.session)
    for what, one, other in acts:
        if what in {"say", "build", "repeat"}:
            await play.act(what, one, other)
    before = await memory.live()
    for what, one, other in [*acts, ("retract", last, 0)]:
        if what in {"retract", "own", "correct", "quarantine"}:
            await play.act(what, one, other)
    for unit in reversed(play.units):
        assert (await memory.undo(unit)).state.lost == ()
    assert await memory.live() == before
