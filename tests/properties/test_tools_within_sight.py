"""Whatever a model asks its tools for, they tell nothing beyond the sight (RS 14.2).

Random histories of one workspace: peers join and leave sessions and talk, words are
withheld, things are concluded, inferred and retracted. Then somebody looks, at some
moment, maybe under an allow-list, and a model uses every tool with whatever arguments.
What may be seen is worked out here from the events alone.
"""

import json
import random
from datetime import timedelta

import pytest

from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionRetracted,
    Evidence,
)
from domain.event import Engine
from domain.moment import NOW
from domain.session import MessageAdded, PeerJoined, PeerLeft
from domain.withholding import MessagesWithheld
from infra.memory_view import ViewMemories
from processors.language_model import ToolCall
from processors.tools.memory import Sight
from processors.tools.registry import READ_TOOLS
from processors.tools.shown import Shown
from processors.tools.toolbox import Toolbox
from tests.support.projecting import append
from tests.support.reactions import SAID_AT, opened  # noqa: F401  a fixture
from tests.support.seeing import seen

PEERS = ("ann", "bob", "cat")
SESSIONS = ("s", "t", "u")
ENGINE = Engine(name="scripted", version="1")
STEPS = 120
LOOKS = 12


class Story:
    """A random history, and what of it was within whose sight at any position."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.events = []
        self.present = {}
        self.heard = {}
        self.said = {}
        self.withheld = {}
        self.drawn = {}
        self.holders = {}
        self.fallen = {}
        self.seqs = dict.fromkeys(SESSIONS, 0)
        for _ in range(STEPS):
            self.step()

    def add(self, event):
        self.events.append(event)
        return len(self.events)

    def step(self):
        roll = self.chance.random()
        session, peer = self.chance.choice(SESSIONS), self.chance.choice(PEERS)
        if roll < 0.12:
            self.join(session, peer)
        elif roll < 0.2:
            self.leave(session, peer)
        elif roll < 0.6:
            self.say(session, peer)
        elif roll < 0.75 and self.said:
            self.conclude()
        elif roll < 0.9 and self.drawn:
            self.infer(peer)
        elif roll < 0.95 and self.said:
            self.withhold()
        elif self.drawn:
            self.retract()

    def join(self, session, peer):
        self.add(
            PeerJoined(
                workspace="w",
                session=session,
                peer=peer,
                joined_at=SAID_AT,
                observe_others=True,
            )
        )
        self.present[session, peer] = True

    def leave(self, session, peer):
        if self.present.pop((session, peer), None):
            self.add(
                PeerLeft(workspace="w", session=session, peer=peer, left_at=SAID_AT)
            )

    def say(self, session, peer):
        if not self.present.get((session, peer)):
            self.join(session, peer)
        self.seqs[session] += 1
        number = len(self.said)
        id_ = f"m{number:020d}"
        position = self.add(
            MessageAdded(
                workspace="w",
                session=session,
                id=id_,
                seq=self.seqs[session],
                author=peer,
                created_at=SAID_AT + timedelta(days=self.chance.randrange(-50, 50)),
                tokens=4,
                content=f"I like tea, says message{number}x.",
            )
        )
        self.said[id_] = (session, position, self.seqs[session], peer)
        self.heard[id_] = {p for (s, p) in self.present if s == session}

    def conclude(self):
        message = self.chance.choice(list(self.said))
        session, _, seq, peer = self.said[message]
        id_ = f"c{len(self.drawn):020d}"
        position = self.add(
            self.derived(id_, peer, session, (Evidence(message, session, seq),))
        )
        self.drawn[id_] = (position, "explicit", peer, {session})
        self.holders[id_] = self.heard[message] | {peer}

    def derived(self, id_, peer, session, evidence, **more):
        number = int(id_[1:])
        return ConclusionDerived(
            workspace="w",
            session=session,
            id=id_,
            observed=peer,
            content=f"{peer} likes tea, as of conclusion{number}x",
            content_key=id_,
            occurred_at=SAID_AT,
            engine=ENGINE,
            evidence=evidence,
            **more,
        )

    def infer(self, observer):
        sources = self.chance.sample(list(self.drawn), min(2, len(self.drawn)))
        behind = set().union(*(self.drawn[each][3] for each in sources))
        peer = self.drawn[sources[0]][2]
        id_ = f"c{len(self.drawn):020d}"
        level = self.chance.choice(["deductive", "inductive", "contradiction"])
        more = {"level": level, "observer": observer, "sources": tuple(sources)}
        event = self.derived(
            id_, peer, None, (), sessions=tuple(sorted(behind)), **more
        )
        self.drawn[id_] = (self.add(event), level, peer, behind)
        self.holders[id_] = {observer}
        if self.chance.random() < 0.3:
            self.add(
                ConclusionReinforced(
                    workspace="w",
                    session=None,
                    id=id_,
                    observed=peer,
                    occurred_at=SAID_AT,
                    engine=ENGINE,
                )
            )

    def withhold(self):
        message = self.chance.choice(list(self.said))
        if message not in self.withheld:
            session = self.said[message][0]
            self.withheld[message] = self.add(
                MessagesWithheld(
                    workspace="w",
                    session=session,
                    messages=(message,),
                    unit="q",
                    reason="joke",
                    actor="client",
                )
            )

    def retract(self):
        id_ = self.chance.choice(list(self.drawn))
        if id_ not in self.fallen:
            session = next(
                e.session for e in self.events if getattr(e, "id", "") == id_
            )
            self.fallen[id_] = self.add(
                ConclusionRetracted(
                    workspace="w",
                    session=session,
                    id=id_,
                    reason="wrong",
                    actor="client",
                )
            )

    def within(self, sight):
        """Return the ids of all that may be seen."""
        allowed = None if sight.sessions is None else set(sight.sessions)
        found = set()
        for id_, (session, position, _, author) in self.said.items():
            if (
                position <= sight.as_of
                and self.withheld.get(id_, NOW + 1) > sight.as_of
                and (allowed is None or session in allowed)
                and sight.session in (None, session)
                and (
                    sight.observer is None
                    or sight.observer == author
                    or sight.observer in self.heard[id_]
                )
            ):
                found.add(id_)
        for id_, (position, _, peer, behind) in self.drawn.items():
            if (
                position <= sight.as_of
                and self.fallen.get(id_, NOW + 1) > sight.as_of
                and (allowed is None or behind <= allowed)
                and sight.observed in (None, peer)
                and (sight.observer is None or sight.observer in self.holders[id_])
            ):
                found.add(id_)
        return found

    def sight(self):
        chance = self.chance
        listed = chance.choice([None, None, (), ("s",), ("s", "u"), ("nowhere",)])
        observer = chance.choice([*PEERS, None])
        return Sight(
            workspace="w",
            observer=observer,
            observed=None if observer is None else chance.choice(PEERS),
            session=chance.choice([None, None, "t", "s"]),
            sessions=listed,
            as_of=chance.choice([NOW, NOW, chance.randrange(len(self.events))]),
        )

    def call(self, name):
        """Ask a tool for anything, with words that would widen it, if they could."""
        chance = self.chance
        given = {
            "query": chance.choice(["tea", "message3x", "conclusion2x", "who?"]),
            "text": chance.choice(["tea", "SAYS", "message1"]),
            "top_k": 10**6,
            "limit": chance.choice([1, 10**6, "all"]),
            "context_window": 99,
            "message_ids": chance.sample(list(self.said), min(9, len(self.said))),
            "observation_id": chance.choice([*self.drawn, "c1", "nobody's"]),
            "direction": chance.choice(["premises", "conclusions", "both"]),
            "workspace": "v",
            "observer": None,
            "sessions": list(SESSIONS),
            "session_id": "u",
            "as_of": 10**9,
        }
        return ToolCall("1", name, json.dumps(given))


def numbered(id_):
    """What of its text no other has."""
    kind = "message" if id_[0] == "m" else "conclusion"
    return f"{kind}{int(id_[1:])}x"


class Nobody:
    """An embedder that does not answer: words alone find everything that fits."""

    model = "none"
    dimensions = 3

    async def embed_query(self, _text):
        return None


@pytest.mark.parametrize("seed", range(4))
async def test_tools_tell_nothing_beyond_the_sight(seed, database, opened):  # noqa: F811  a fixture
    story = Story(seed)
    await append(opened, story.events)
    told = 0
    async with seen(database, opened) as views:
        memories = ViewMemories(views.readers, Nobody())
        for _ in range(LOOKS):
            sight = story.sight()
            within = story.within(sight)
            shown = Shown()
            view = memories(sight)
            tools = [make(view, shown, "ann") for make in READ_TOOLS.values()]
            box = Toolbox(tools, most=10**6)
            for name in READ_TOOLS:
                text, use = await box.use(story.call(name), 1)
                assert set(use.ids) <= within, (name, sight)
                beyond = {*story.said, *story.drawn} - within
                assert [each for each in beyond if numbered(each) in text] == []
                told += len(use.ids)
            assert {each.id for each in shown.everything} <= within
            assert not (sight.sessions == () and shown.everything)
    assert told > 100


async def test_all_there_is_can_be_found(database, opened):  # noqa: F811  a fixture
    """What is within sight is not beyond the tools: a full list is the whole of it."""
    story = Story(7)
    await append(opened, story.events)
    async with seen(database, opened) as views:
        memories = ViewMemories(views.readers, Nobody())
        for observer in (*PEERS, None):
            sight = Sight(workspace="w", observer=observer, observed=None)
            view = memories(sight)
            found = await view.recent_conclusions(1_000, here=False)
            said = await view.grep_messages("TEA", 1_000, 0)
            ids = {each.id for each in found}
            ids |= {each.id for excerpt in said for each in excerpt.messages}
            assert ids == story.within(sight), observer
