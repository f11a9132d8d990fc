"""What tools are shown of the views: neighbours, days, words, chains, and when."""

from datetime import timedelta

import pytest

from domain.conclusion import ConclusionDerived, ConclusionRetracted, Evidence
from domain.event import Engine
from domain.moment import NOW
from domain.scope import (
    ScopeCreated,
    SessionAddedToScope,
    SessionRemovedFromScope,
    peer_of_scope,
)
from domain.session import PeerLeft
from infra.memory_view import ViewMemories
from processors.tools.memory import Period, Sight
from tests.infra.test_memory_search import Absent
from tests.support.projecting import append
from tests.support.reactions import SAID_AT
from tests.support.seeing import seen

ANN = Sight(workspace="w", observer="ann", observed="ann")


def texts(excerpts):
    return [[each.text for each in excerpt.messages] for excerpt in excerpts]


def concluded(id_, level="deductive", sources=(), **more):
    plain = {
        "workspace": "w",
        "session": None,
        "id": id_,
        "observed": "ann",
        "observer": "ann",
        "content": f"ann is {id_}",
        "content_key": id_,
        "occurred_at": SAID_AT,
        "engine": Engine(name="scripted", version="1"),
        "level": level,
        "sources": sources,
    }
    return ConclusionDerived(**{**plain, **more})


@pytest.fixture
def looking(database, opened):
    """Open memory as far as a sight reaches, and use it."""

    async def look(use, sight=ANN):
        async with seen(database, opened) as views:
            return await use(ViewMemories(views.readers, Absent())(sight))

    return look


async def test_windows_of_one_session_that_meet_are_one(memory, looking):
    await memory.join("ann")
    await memory.say(
        *(f"Number {n}{' tea' if n in {3, 6, 20} else ''}." for n in range(24)),
        author="ann",
    )
    found = await looking(lambda view: view.grep_messages("TEA", 10, 2))
    numbers = [[m.number for m in excerpt.messages] for excerpt in found]
    assert numbers == [list(range(19, 24)), list(range(2, 10))]
    assert [len(excerpt.matches) for excerpt in found] == [1, 2]
    newest = await looking(lambda view: view.grep_messages("tea", 1, 0))
    assert texts(newest) == [["Number 20 tea."]]


async def test_neighbours_are_of_the_same_session(memory, looking):
    """Numbers of another session that are near are not (RS 7.5)."""
    await memory.join("ann", session="s")
    await memory.join("ann", session="t")
    await memory.say("One", "Two", "Three", author="ann", session="s")
    [_, other, _] = await memory.say("I", "II", "III", author="ann", session="t")
    found = await looking(lambda view: view.show_messages([other.event.id], 1))
    assert texts(found) == [["I", "II", "III"]]
    assert {each.session for each in found} == {"t"}
    assert found[0].matches == (other.event.id,)
    nothing = await looking(lambda view: view.show_messages(["nobody", "\x7f"], 1))
    assert nothing == ()


async def test_days_bound_what_is_listed_and_searched(memory, looking):
    await memory.join("ann")
    await memory.say("Tea at nine.", "Tea later.", "Tea last.", author="ann")
    second = SAID_AT + timedelta(minutes=1)
    until = Period(None, second)

    async def both(view):
        return (
            await view.list_messages(until, 10, newest_first=True),
            await view.list_messages(Period(second), 10, newest_first=False),
            await view.search_messages("tea", 10, 0, Period(second, second)),
        )

    newest, oldest, searched = await looking(both)
    assert [each.text for each in newest] == ["Tea later.", "Tea at nine."]
    assert [each.text for each in oldest] == ["Tea later.", "Tea last."]
    assert texts(searched) == [["Tea later."]]


async def test_who_joins_late_or_left_did_not_hear(memory, opened, looking):
    """By the order of the log, whatever day a message says it is of (RS 13.1 W46)."""
    await memory.join("bob")
    await memory.say("Before", author="bob")
    await memory.join("ann")
    await memory.say("Meanwhile", author="bob")
    left = PeerLeft(workspace="w", session="s", peer="ann", left_at=SAID_AT)
    await append(opened, [left])
    await memory.say("After", author="bob")
    sight = Sight(workspace="w", observer="ann", observed="bob")
    found = await looking(
        lambda view: view.list_messages(Period(), 10, newest_first=False), sight
    )
    assert [each.text for each in found] == ["Meanwhile"]


async def test_a_chain_is_walked_both_ways_over_all_levels(memory, opened, looking):
    await memory.join("ann")
    said = concluded("c1", "explicit", session="s", observer=None)
    chain = [
        said,
        concluded("c2", "deductive", ("c1",)),
        concluded("c3", "inductive", ("c2", "c1")),
        concluded("c4", "contradiction", ("c3", "c2")),
        concluded("hidden", "deductive", ("c1",), observer="bob"),
    ]
    await append(opened, chain)

    async def walk(view):
        return (
            await view.find_chain("c2", premises=True, consequences=True),
            await view.find_chain("c4", premises=True, consequences=False),
            await view.find_chain("hidden", premises=True, consequences=True),
            await view.find_chain("c1", premises=False, consequences=True),
        )

    middle, top, hidden, bottom = await looking(walk)
    assert [each.conclusion.id for each in middle.premises] == ["c1"]
    assert [(e.conclusion.id, e.steps) for e in middle.consequences] == [
        ("c3", 1),
        ("c4", 1),
    ]
    assert [(e.conclusion.id, e.steps) for e in top.premises] == [
        ("c2", 1),
        ("c3", 1),
        ("c1", 2),
    ]
    assert top.consequences == ()
    assert hidden is None
    assert "hidden" not in {each.conclusion.id for each in bottom.consequences}
    assert top.whole


async def test_the_past_is_looked_at_as_it_stood(memory, opened, looking):
    await memory.join("ann")
    before = await append(opened, [concluded("c1", "explicit", session="s")])
    gone = ConclusionRetracted(
        workspace="w", session="s", id="c1", reason="wrong", actor="ann"
    )
    await append(opened, [gone, concluded("c2", "explicit", session="s")])

    async def newest(view):
        return [each.id for each in await view.recent_conclusions(10, here=False)]

    assert await looking(newest) == ["c2"]
    then = Sight(workspace="w", observer="ann", observed="ann", as_of=before)
    assert await looking(newest, then) == ["c1"]
    now = Sight(workspace="w", observer="ann", observed="ann", as_of=NOW)
    assert await looking(newest, now) == ["c2"]


async def test_the_newest_of_a_session_are_of_it(memory, opened, looking):
    await memory.join("ann")
    here = concluded("c1", "explicit", session="s")
    await append(opened, [here, concluded("c2", "explicit", session="t")])
    sight = Sight(workspace="w", observer="ann", observed="ann", session="s")
    for only, ids in ((True, ["c1"]), (False, ["c2", "c1"])):
        found = await looking(
            lambda view, only=only: view.recent_conclusions(10, here=only), sight
        )
        assert [each.id for each in found] == ids


async def test_a_named_session_confines_messages_and_not_evidence(
    memory, opened, looking
):
    """Conclusions are recalled from everywhere, with what they rest on (HC 6.7)."""
    await memory.join("ann", session="s")
    [said] = await memory.say("I like tea.", author="ann", session="s")
    cited = (Evidence(said.event.id, "s", said.event.seq),)
    await append(opened, [concluded("c1", "explicit", session="s", evidence=cited)])
    sight = Sight(workspace="w", observer="ann", observed="ann", session="t")

    async def look(view):
        return (
            await view.search_conclusions("c1", 10),
            await view.grep_messages("tea", 10, 0),
        )

    [found], messages = await looking(look, sight)
    assert found.evidence == (said.event.id,)
    assert messages == ()


async def test_a_scope_sees_the_sessions_it_holds_then(memory, opened, looking):
    await memory.join("ann", session="s")
    await memory.join("ann", session="t")
    [said] = await memory.say("Tea in s", author="ann", session="s")
    await memory.say("Tea in t", author="ann", session="t")
    born = ScopeCreated(
        workspace="w", peer=peer_of_scope("x"), uid="u", created_at=SAID_AT
    )
    held = {"workspace": "w", "session": "s", "scope": "x"}
    came = SessionAddedToScope(joined_at=SAID_AT, **held)
    inside = await append(opened, [born, came])
    await append(opened, [SessionRemovedFromScope(left_at=SAID_AT, **held)])
    scope = {"workspace": "w", "observer": peer_of_scope("x"), "scope": True}

    async def ids(view):
        found = await view.grep_messages("tea", 10, 2)
        return [m.id for excerpt in found for m in excerpt.messages]

    then = Sight(observed="ann", as_of=inside, **scope)
    assert await looking(ids, then) == [said.event.id]
    assert await looking(ids, Sight(observed="ann", **scope)) == []
