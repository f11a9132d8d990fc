"""Whatever happens, nothing holds without words under it (RS 14.2, 3).

Random histories of one workspace: things are said, concluded by an engine that makes
premises up, inferred, retracted with what rests on them, reinstated, and sessions are
erased. What a client concludes rests on its author alone.
"""

import random
from collections import defaultdict

import pytest

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.conclusion import ConclusionDerived
from domain.derivation import DerivationCompleted
from domain.erasure import SessionDeleted
from domain.errors import Conflict
from domain.event import Engine
from domain.names import pair_conclusion_stream, session_stream
from infra.holdings import StoredHoldings
from processors.erase_session import EraseSession
from processors.processor import Batch, Done
from processors.reasoner import Drawn, Fact
from tests.support.log import CAUSE
from tests.support.reactions import SAID_AT, Echo, Memory, at_once, deriving
from tests.support.taking import Ground, ground

SESSIONS = ("s", "t", "u")
STEPS = 45
SEEDS = (0, 1, 55)
"""The last one found what rests on two sessions that are erased one by one."""
MORE = [n for n in range(100) if n not in SEEDS]
CLIENT = Engine(name="client", version="1")
DREAM = Engine(name="dream", version="1")

# What holds and has no message under it, over premises that hold, is named.
_BASELESS = """
    WITH RECURSIVE holds AS (
        SELECT DISTINCT tenant, origin FROM conclusion WHERE to_position IS NULL
    ), grounded (origin) AS (
        SELECT h.origin FROM holds AS h WHERE EXISTS (
            SELECT FROM evidence AS e
            JOIN message AS m ON m.tenant = e.tenant AND m.id = e.message
            WHERE e.tenant = h.tenant AND e.conclusion = h.origin)
        OR EXISTS (
            SELECT FROM life AS l WHERE l.tenant = h.tenant AND l.origin = h.origin
            AND l.engine ->> 'name' = 'client')
        UNION
        SELECT h.origin FROM grounded AS g
        JOIN conclusion AS c ON c.origin = g.origin
        JOIN premise AS p ON p.tenant = c.tenant AND p.source = c.id
        JOIN holds AS h ON h.tenant = p.tenant AND h.origin = p.conclusion
    )
    SELECT origin FROM holds WHERE origin NOT IN (SELECT origin FROM grounded)
"""

_HOLDING = """
    SELECT id, origin, observer FROM conclusion
    WHERE tenant = 'w' AND to_position IS NULL ORDER BY id
"""


class Inventive(Echo):
    """An engine that makes up some of what its facts rest on, and some facts."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        self.invented = 0
        self.read: set[str] = set()
        """What was read before is context, whoever said it."""

    async def derive(self, window):
        facts = []
        for each in window.said:
            observed = self.chance.choice(window.observed)
            cited = [each.id] if self.chance.random() < 0.7 else []
            if self.chance.random() < 0.5:
                cited.append(f"invented-{self.chance.random()}")
            own = each.author == observed and each.id not in self.read
            foreign = not own and each.id in cited
            self.invented += len(cited) - len([e for e in cited if e == each.id])
            self.invented += foreign
            facts.append(Fact(observed, f"{observed}: {each.text}", tuple(cited)))
        self.read.update(each.id for each in window.said)
        return Drawn(tuple(facts), self.engine)


class History:
    """What happens, step by step, at the bidding of chance."""

    def __init__(self, made: Ground, seed: int) -> None:
        self.ground = made
        self.memory = Memory(made.log)
        self.memory.decide = made.decide
        self.chance = random.Random(seed)
        self.engine = Inventive(self.chance)
        self.pending = defaultdict(list)
        self.units: list[str] = []
        self.names = 0
        stores = StoredHoldings(made.log, made.readers, made.views, made.dsn)
        self.eraser = EraseSession(made.decide, stores, lambda: SAID_AT)

    async def run(self) -> None:
        steps = (
            *(self.say, self.say, self.derive, self.infer, self.infer),
            *(self.client, self.retract, self.undo, self.erase),
        )
        for _ in range(STEPS):
            await self.chance.choice(steps)()
            await self.check()

    async def check(self) -> None:
        await self.settled()
        baseless = await self.ground.readers.fetch(_BASELESS)
        assert [row["origin"] for row in baseless] == []

    async def settled(self) -> None:
        head = await self.ground.log.store.head()
        assert await self.ground.views.wait_for(head, 60)

    async def holding(self):
        await self.settled()
        return await self.ground.readers.fetch(_HOLDING)

    async def say(self) -> None:
        session = self.chance.choice(SESSIONS)
        author = self.chance.choice(("alice", "bob"))
        self.names += 1
        await self.memory.join("bob", session=session, observe_others=True)
        text = f"I am {self.names % 5}."
        said = await self.memory.say(text, author=author, session=session)
        self.pending[session] += said

    async def derive(self) -> None:
        session = self.chance.choice(SESSIONS)
        if said := self.pending.pop(session, None):
            process = deriving(self.memory, self.engine, at_once(1_000))
            assert await process(Batch(f"w/{session}", tuple(said))) == Done()

    async def infer(self) -> None:
        """Let bob infer something from what he holds."""
        rows = [row for row in await self.holding() if row["observer"] == "bob"]
        if rows:
            sources = self.chance.sample(rows, min(len(rows), 1 + self.names % 3))
            named = self.chance.choice(("id", "origin"))
            await self.conclude(DREAM, tuple(row[named] for row in sources))

    async def client(self) -> None:
        await self.conclude(CLIENT, ())

    async def conclude(self, engine, sources) -> None:
        self.names += 1
        level = self.chance.choice(("deductive", "inductive")) if sources else None
        event = ConclusionDerived(
            workspace="w",
            session=None,
            id=f"c{self.names}",
            observed="alice",
            observer="bob",
            content=f"alice is {self.names}",
            content_key=f"{self.names}",
            occurred_at=SAID_AT,
            engine=engine,
            level=level or "explicit",
            sources=tuple(dict.fromkeys(sources)),
        )
        await self.append(pair_conclusion_stream("w", "bob", "alice"), event)

    async def retract(self) -> None:
        rows = await self.holding()
        if rows:
            name = self.chance.choice(rows)["id"]
            done = await self.ground.retract(
                name, everywhere=self.chance.random() < 0.7
            )
            self.units.append(done.unit)

    async def undo(self) -> None:
        if self.units:
            unit = self.chance.choice(self.units)
            try:
                await self.ground.undo(unit)
            except Conflict:
                return  # another one stands in the way
            self.units.remove(unit)

    async def erase(self) -> None:
        session = self.chance.choice(SESSIONS)
        self.pending.pop(session, None)
        deleted = SessionDeleted(
            workspace="w", session=session, deleted_at=SAID_AT, purge_at=SAID_AT
        )
        recorded = await self.append(session_stream("w", session), deleted)
        assert await self.eraser(Batch(f"w/{session}", recorded)) == Done()

    async def append(self, stream, *events):
        request = AppendRequest("w", (StreamAppend(stream, ANY, events),), CAUSE)
        appended = await self.ground.log.store.append(request)
        self.ground.decide.forget(stream.name)
        return appended.recorded


@pytest.mark.parametrize(
    "seed",
    [*SEEDS, *(pytest.param(n, marks=pytest.mark.long) for n in MORE)],
)
async def test_nothing_holds_without_words_under_it(log, log_dsn, seed):
    async with ground(log, log_dsn) as made:
        await made.begin()
        history = History(made, seed)
        await history.run()
        done = await history.memory.events(DerivationCompleted)
        refused = sum(each.invented for each in done)
        assert refused == history.engine.invented
