"""Dreams over a real log with live views, on a model that says what it is told to."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from commands.dream import ScheduleDream, schedule_dream, watch_dreams
from domain.card_form import CardForm
from domain.dream import DreamScheduled
from domain.dreaming import Rest
from domain.event import Event
from infra.dream_cards import ConfiguredCards, StoredCards
from infra.dream_news import StoredNews
from infra.stored_grounds import StoredGrounds
from processors.agent_loop import Limits
from processors.dream import Dream
from processors.recall import Recollection
from processors.schedule_dreams import DreamRules, ScheduleDreams
from processors.specialists import Equipment, Means, SpecialistAtWork
from processors.surprisal import no_hints
from tests.support.scripted_model import ScriptedModel
from tests.support.taking import Words, ground
from tests.support.tools import Remembering

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
LIMITS = Limits(iterations=6, max_input=50_000, max_output=1_000, max_total=500_000)
RULES = DreamRules(threshold=3, rest=Rest(timedelta(minutes=60), timedelta(hours=8)))


class Hand:
    """A clock that is moved by hand."""

    def __init__(self, now=START):
        self.now = now

    def __call__(self):
        return self.now

    def pass_(self, **time):
        self.now += timedelta(**time)


class Dreams:
    """A ``tests.support.taking.Ground`` that dreams; ``deduction`` and ``induction``
    are the scripts of the models."""

    def __init__(self, memory, *, rules=RULES, attempts=3):
        self.memory = memory
        self.clock = Hand()
        self.deduction = ScriptedModel()
        self.induction = ScriptedModel()
        self.rules = rules
        self.attempts = attempts
        self.news = StoredNews(memory.log, memory.readers, memory.views)
        self.cards = StoredCards(self.news, memory.readers)
        self.sights = []
        self.start_anew()

    def start_anew(self):
        """Do as a new process does: nothing is remembered but the log."""
        memory = self.memory
        memory.decide._known._streams.clear()
        means = Means(
            decide=memory.decide,
            write=memory.write,
            reach=memory.reach,
            find_grounds=StoredGrounds(memory.log, memory.readers, memory.views),
            open_memory=self._open,
            read_card=self.cards,
            makes_cards=ConfiguredCards(memory.decide, otherwise=True),
            find_hints=no_hints,
            tokens=Words(),
            form=CardForm(),
        )
        equipment = {
            "deduction": Equipment(self.deduction, LIMITS),
            "induction": Equipment(self.induction, LIMITS),
            "card_refresh": Equipment(self.deduction, LIMITS),
        }
        self.work = SpecialistAtWork(means, equipment)
        self.dream = Dream(
            memory.decide,
            self.news,
            self.work,
            self.rules,
            self.clock,
            attempts=self.attempts,
        )
        self.scheduling = ScheduleDreams(
            memory.decide, self.news, self.rules, self.clock
        )

    def _open(self, sight):
        self.sights.append(sight)
        return _Rows(self.memory.readers, sight)

    async def ask(self, observer="alice", observed="alice", **more):
        """Ask for a dream, and return its scheduling as recorded."""
        command = ScheduleDream(
            workspace="w",
            observer=observer,
            observed=observed,
            **{"kind": "omni", "rebuild": False, "session": None, **more},
        )
        written = await schedule_dream(self.memory.write, command, self.memory.reason())
        return next(e for e in written.recorded if isinstance(e.event, DreamScheduled))

    async def have(self, scheduled=None, **more):
        """Have a dream that was asked for, to its end; return what was recorded."""
        scheduled = scheduled or await self.ask(**more)
        before = await self.memory.log.store.head()
        self.later = await self.dream(scheduled)
        head = await self.memory.log.store.head()
        assert await self.memory.views.wait_for(head, 60)
        found = await self.memory.log.store.read_log(after=before, limit=1_000)
        return [each.event for each in found]

    async def state(self, observer="alice", observed="alice"):
        return await self.memory.decide.look(watch_dreams("w", observer, observed))

    async def recorded(self, *kinds):
        found = await self.memory.log.store.read_log(after=0, limit=5_000)
        return [e for e in found if isinstance(e.event, kinds or (Event,))]

    async def events(self, *kinds):
        return [each.event for each in await self.recorded(*kinds)]


class _Rows(Remembering):
    """What a pair holds, straight from the rows, as far as a sight reaches."""

    def __init__(self, readers, sight):
        super().__init__()
        self._readers, self._sight = readers, sight

    async def recent_conclusions(self, limit, *, here):  # noqa: ARG002  the port's
        async with self._readers.acquire() as db:
            rows = await db.fetch(
                "SELECT * FROM conclusion WHERE tenant = 'w' AND observer = $1"
                " AND observed = $2 AND from_position <= $3"
                " AND (to_position IS NULL OR to_position > $3)"
                " ORDER BY born, id LIMIT $4",
                self._sight.observer,
                self._sight.observed,
                self._sight.as_of,
                limit,
            )
        return tuple(
            Recollection(
                kind="conclusion",
                id=row["origin"],
                text=row["content"],
                at=row["occurred_at"],
                peer=row["observed"],
                similarity=1.0,
                level=row["level"],
            )
            for row in rows
        )

    async def search_conclusions(self, query, limit):  # noqa: ARG002  finds all
        return await self.recent_conclusions(limit, here=False)


@asynccontextmanager
async def dreaming(log, dsn, **options):
    async with ground(log, dsn) as memory:
        yield Dreams(memory, **options)
