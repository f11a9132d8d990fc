"""Given facts near in meaning, what is said again reinforces what is known."""

from itertools import pairwise

import pytest

from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReworded,
)
from processors.language_model import Unavailable
from processors.ports import Neighbour
from processors.reasoner import Drawn, Fact
from processors.said_again import SaidAgain
from tests.support.log import log, log_dsn, master_key, migrated
from tests.support.reactions import Echo, Memory, at_once, batch, deriving
from tests.support.taking import ground

__all__ = ["log", "log_dsn", "master_key", "migrated"]


class Tokens:
    def ids(self, text):
        return [hash(word) for word in text.split()]


class Meaning:
    """Finds near what it was told to, if that was told before."""

    def __init__(self, *alike, distance=0.02):
        self.alike = alike
        self.distance = distance
        self.told = []

    async def nearest(self, _source, told):
        found = []
        for peer, content in told:
            near = next(
                (
                    other
                    for author, other in reversed(self.told)
                    if author == peer
                    and other != content
                    and any({content, other} <= set(each) for each in self.alike)
                ),
                None,
            )
            found.append(None if near is None else Neighbour(near, self.distance))
            self.told.append((peer, content))
        return found


class Saying(Echo):
    """Takes each message for a fact about its author, word for word."""

    async def derive(self, window):
        facts = (
            Fact(each.author, each.text, (each.id,))
            for each in window.said
            if each.author in window.observed
        )
        return Drawn(tuple(facts), self.engine)


LESS, MORE = "alice likes tea", "alice likes green tea with honey"


def process(memory, meaning):
    again = SaidAgain(meaning, Tokens())
    return deriving(memory, Saying(), at_once(1_000), said_again=again)


async def test_what_says_less_reinforces_what_is_known(memory):
    derive = process(memory, Meaning((LESS, MORE)))
    await derive(batch(*await memory.say(MORE)))
    await derive(batch(*await memory.say(LESS)))
    [drawn] = await memory.events(ConclusionDerived)
    [again] = await memory.events(ConclusionReinforced)
    assert (again.id, again.content, again.fuller) == (drawn.id, LESS, False)
    assert [each.seq for each in again.evidence] == [2]


async def test_what_says_as_much_or_more_is_how_it_is_told_from_then_on(memory):
    derive = process(memory, Meaning((LESS, MORE)))
    await derive(batch(*await memory.say(LESS, MORE)))
    await derive(batch(*await memory.say(LESS)))
    [drawn] = await memory.events(ConclusionDerived)
    first, second = await memory.events(ConclusionReinforced)
    assert {first.id, second.id} == {drawn.id}
    assert (first.content, first.fuller) == (MORE, True)
    # Said again in the first words it is known by its text, and tells them.
    assert (second.content, second.fuller) == (LESS, False)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        (LESS, MORE, 0.06),
        ("alice ran 5 km", "alice ran 7 km", 0.01),
        ("alice likes tea", "alice does not like tea", 0.01),
    ],
)
async def test_what_is_not_near_enough_or_not_the_same_stays_apart(
    memory, one, other, distance
):
    derive = process(memory, Meaning((one, other), distance=distance))
    await derive(batch(*await memory.say(one, other)))
    assert len(await memory.events(ConclusionDerived)) == 2
    assert await memory.events(ConclusionReinforced) == []


async def test_another_peers_fact_is_another(memory):
    derive = process(memory, Meaning((LESS, MORE)))
    said = await memory.say(LESS, author="alice")
    said += await memory.say(MORE, author="bob")
    await derive(batch(*said))
    assert len(await memory.events(ConclusionDerived)) == 2


async def test_what_no_embedder_compares_is_recorded_all_the_same(memory):
    class Away(Meaning):
        async def nearest(self, _source, _told):
            raise Unavailable("The embedder")

    derive = process(memory, Away())
    await derive(batch(*await memory.say(LESS, LESS, MORE)))
    assert len(await memory.events(ConclusionDerived)) == 2
    [again] = await memory.events(ConclusionReinforced)
    assert not isinstance(again, ConclusionReworded)


async def test_each_holds_it_in_words_it_heard_and_counts_what_it_heard(log, log_dsn):
    """Bob leaves before more is said, cyd comes when it was (RS 14.2, 4 and 8)."""
    async with ground(log, log_dsn) as made:
        memory = _memory(made)
        derive = process(memory, Meaning((LESS, MORE)))
        await made.begin()
        await memory.join("bob", session="t", observe_others=True)
        await derive(batch(*(await memory.say(LESS, session="t"))))
        await memory.leave("bob", session="t")
        await memory.join("cyd", session="t", observe_others=True)
        await derive(batch(*(await memory.say(MORE, session="t"))))
        await memory.join("dan", session="t", observe_others=True)
        counts = []
        for _ in range(2):
            await derive(batch(*(await memory.say(LESS, session="t"))))
            counts.append(await held(made))
        [bob, cyd, dan, alice] = [
            counts[-1][peer] for peer in ("bob", "cyd", "dan", "alice")
        ]
        assert bob == (LESS, 1)
        assert cyd == (MORE, 3)
        assert dan == (LESS, 2)
        assert alice == (MORE, 4)
        for before, after in pairwise(counts):
            assert all(after[peer][1] >= n for peer, (_, n) in before.items())


async def test_quarantining_the_words_it_is_told_in_takes_it_along(log, log_dsn):
    async with ground(log, log_dsn) as made:
        memory = _memory(made)
        derive = process(memory, Meaning((LESS, MORE)))
        await made.begin()
        said = await memory.say(LESS, MORE, LESS, session="t")
        await derive(batch(*said))
        assert await held(made) == {"alice": (MORE, 3)}
        done = await made.quarantine(only(said[2]))
        assert await held(made) == {"alice": (MORE, 3)}
        await made.undo(done.unit)
        done = await made.quarantine(only(said[1]))
        assert await held(made) == {}
        await made.undo(done.unit)
        assert await held(made) == {"alice": (MORE, 3)}


def only(said):
    """Select one message by its time."""
    at = said.event.created_at.isoformat()
    return {"session_id": "t", "created_at": {"gte": at, "lte": at}}


def _memory(made):
    memory = Memory(made.log)
    memory.decide = made.decide
    return memory


async def held(made):
    await made.views.wait_for(await made.log.store.head(), 60)
    rows = await made.readers.fetch(
        "SELECT observer, content, times_derived FROM conclusion"
        " WHERE tenant = 'w' AND to_position IS NULL"
    )
    return {r["observer"]: (r["content"], r["times_derived"]) for r in rows}


async def test_an_answer_that_says_one_thing_twice_says_it_once(memory):
    """A model that repeats itself is no second saying (RS 2.5)."""

    class Looping(Echo):
        async def derive(self, window):
            own = [each.id for each in window.said]
            told = [LESS, LESS, MORE, LESS, *[MORE] * 5]
            return Drawn(
                tuple(Fact("alice", text, (own[0],)) for text in told), self.engine
            )

    again = SaidAgain(Meaning((LESS, MORE)), Tokens())
    derive = deriving(memory, Looping(), at_once(1_000), said_again=again)
    await derive(batch(*await memory.say("I like tea.")))
    assert len(await memory.events(ConclusionDerived)) == 1
    told = await memory.events(ConclusionReinforced)
    assert [each.content for each in told] == [MORE]
