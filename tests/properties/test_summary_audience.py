"""Whoever came and went: nobody is given a summary of a range it heard nothing of.

Random histories of one session are folded into the real views and asked over HTTP,
now and as of before; who heard what, and how the chains of summaries stand, is told
here once more, one event after the other (RS 14 item 18).
"""

import random
from dataclasses import dataclass, field

import pytest

from domain.names import SCOPE_PREFIX
from domain.scope import ScopeCreated, SessionAddedToScope, SessionRemovedFromScope
from domain.session import PeerLeft, PeerRoleChanged
from domain.summary import SummaryReinstated, SummaryRetracted
from domain.withholding import MessagesRestored, MessagesWithheld
from tests.read_api.conftest import asking_of
from tests.support.story import NOON, joined, peer, said, session, summed_up

HISTORIES = 12
STEPS = 70
PEERS = ("ann", "bob", "cy")
SCOPE = "z"
STRANGER = "stranger"
OF_A_UNIT = {"workspace": "w", "session": "s", "reason": "", "actor": "test"}


@dataclass
class Made:
    id: str
    to_seq: int
    parent: "Made | None"


@dataclass
class Then:
    """How all stands after some event."""

    heard: dict[str, list[int]]
    present: set[str]
    newest: dict[str, Made | None]
    withheld: set[int]

    def given(self, who, kind):
        """Return the id of the summary that somebody may be given, or None."""
        newest, heard = self.newest[kind], self.heard.get(who, [])
        if who is None:
            return newest and newest.id
        while newest and who not in self.present and newest.to_seq > max(heard or [0]):
            newest = newest.parent
        known = [n for n in heard if n not in self.withheld]
        return newest.id if newest and known and min(known) <= newest.to_seq else None


@dataclass
class Story:
    """A session as it comes about, and how it stood after each event."""

    rng: random.Random
    events: list = field(default_factory=list)
    then: list[Then] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    present: set[str] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)
    heard: dict[str, list[int]] = field(default_factory=dict)
    newest: dict[str, Made | None] = field(
        default_factory=lambda: {"short": None, "long": None}
    )
    taken: tuple | None = None
    withheld: set[int] = field(default_factory=set)
    held: bool = False

    def happen(self, event):
        self.events.append(event)
        whole = range(1, len(self.authors) + 1) if self.held else ()
        heard = {who: list(numbers) for who, numbers in self.heard.items()}
        heard[SCOPE_PREFIX + SCOPE] = list(whole)
        present = self.present | ({SCOPE_PREFIX + SCOPE} if self.held else set())
        held = set(self.withheld)
        self.then.append(Then(heard, present, dict(self.newest), held))

    def say(self, author):
        self.authors.append(author)
        for who in {*self.present, author}:
            self.heard.setdefault(who, []).append(len(self.authors))
        self.happen(said(len(self.authors), "word", author=author))

    def join(self, who):
        self.present.add(who)
        self.joined.add(who)
        self.happen(joined("s", who))

    def leave(self, who):
        self.present.discard(who)
        self.happen(PeerLeft(workspace="w", session="s", peer=who, left_at=NOON))

    def sum_up(self, kind):
        before, last = self.newest[kind], len(self.authors)
        from_seq = 1 + (before.to_seq if before else 0)
        if from_seq > last or (self.taken and self.taken[0] == kind):
            return
        made = Made(f"{kind}-{len(self.events)}", last, before)
        self.newest[kind] = made
        told = {"id": made.id, "from_seq": from_seq, "content": made.id}
        parent = before.id if before else None
        self.happen(summed_up(kind, last, 1, **told, parent=parent))

    def take_back(self):
        """Withhold what one of a chain tells of, and withdraw the chain down to it."""
        kind = self.rng.choice(["short", "long"])
        newest = self.newest[kind]
        if self.taken or newest is None:
            return
        at = newest
        while at.parent and self.rng.random() < 0.5:
            at = at.parent
        first = at.parent.to_seq + 1 if at.parent else 1
        numbers = self.rng.sample(range(first, at.to_seq + 1), 1)
        self.taken = (kind, newest, numbers)
        self.withheld.update(numbers)
        unit = {**OF_A_UNIT, "unit": "u"}
        ids = tuple(f"s-{n}" for n in numbers)
        self.happen(MessagesWithheld(**unit, messages=ids))
        back = at.parent
        fallback = {"fallback": back and back.id, "fallback_seq": back and back.to_seq}
        self.newest[kind] = back
        known = fallback if back else {}
        self.happen(SummaryRetracted(**unit, id=newest.id, kind=kind, **known))

    def bring_back(self):
        if not self.taken:
            return
        kind, newest, numbers = self.taken
        self.taken, unit = None, {**OF_A_UNIT, "unit": "u"}
        self.withheld.clear()
        ids = tuple(f"s-{n}" for n in numbers)
        self.happen(MessagesRestored(**unit, messages=ids))
        self.newest[kind] = newest
        self.happen(
            SummaryReinstated(**unit, id=newest.id, kind=kind, to_seq=newest.to_seq)
        )

    def enter_scope(self):
        self.held = not self.held
        named = {"workspace": "w", "session": "s", "scope": SCOPE}
        if self.held:
            self.happen(SessionAddedToScope(**named, joined_at=NOON))
        else:
            self.happen(SessionRemovedFromScope(**named, left_at=NOON))

    def step(self):
        who = self.rng.choice(PEERS)
        match self.rng.randrange(20):
            case 0 | 1:
                self.join(who)
            case 2 | 3 if who in self.present:
                self.leave(who)
            case 4 if who in self.joined:
                self.happen(
                    PeerRoleChanged(
                        workspace="w", session="s", peer=who, observe_others=True
                    )
                )
            case 5 | 6 | 7:
                self.sum_up(self.rng.choice(["short", "long"]))
            case 8:
                self.take_back()
            case 9:
                self.bring_back()
            case 10:
                self.enter_scope()
            case 11 | 12 | 13 | 14 | 15 if self.present:
                self.say(self.rng.choice(sorted(self.present)))
            case _:
                if who not in self.present:
                    self.join(who)
                self.say(who)


def told(rng):
    story = Story(rng)
    hidden = SCOPE_PREFIX + SCOPE
    scope = ScopeCreated(workspace="w", peer=hidden, uid="u", created_at=NOON)
    story.happen(scope)
    for name in (*PEERS, STRANGER):
        story.happen(peer(name))
    for _ in range(rng.choice([0, 0, 6])):  # a copy of another session
        story.say(rng.choice(PEERS[:2]))
    story.happen(session("s"))
    while len(story.events) < STEPS:
        story.step()
    return story


@pytest.mark.parametrize("seed", range(HISTORIES))
async def test_a_summary_is_for_those_who_heard_something_of_it(seed, database):
    story = told(random.Random(seed))
    async with asking_of(database) as ask:
        await ask.happened(*story.events)
        moments = [None, *random.Random(seed).sample(range(20, len(story.events)), 12)]
        for moment in moments:
            there = story.then[-1 if moment is None else moment - 1]
            for who in (None, *PEERS, STRANGER, SCOPE_PREFIX + SCOPE):
                kind, shown = await _shown(ask, who, moment)
                allowed = {k: there.given(who, k) for k in ("short", "long")}
                # Of two that cost the same the short one is chosen.
                expected = allowed["short"] or allowed["long"]
                assert shown == expected, (seed, who, moment, kind, allowed)


async def _shown(ask, who, moment):
    query = {"peer_target": "ann", "limit_to_session": "true"}
    if who is not None and who.startswith(SCOPE_PREFIX):
        query["scope"] = SCOPE
    elif who is not None:
        query["peer_perspective"] = who
    if moment is not None:
        query["as_of"] = str(moment)
    answer = await ask.get("/w/sessions/s/context", **query)
    assert answer.status_code == 200, answer.text
    summary = answer.json()["summary"]
    return (
        (None, None)
        if summary is None
        else (summary["summary_type"], summary["content"])
    )
