"""Dreams of a scope: they come as its sessions change, and go with them (RS 2.8)."""

import pytest

from domain.conclusion import ConclusionDerived, ConclusionRetracted
from domain.dream import DreamCompleted, DreamScheduled
from domain.names import session_stream
from domain.scope import SessionAddedToScope, SessionRemovedFromScope
from processors.close_scopes import CloseScopes
from processors.processor import Batch, Done
from tests.support.dreaming import dreaming
from tests.support.reactions import SAID_AT
from tests.support.scripted_model import calls

SCOPE = {"observer": "scope.x", "observed": "alice"}


@pytest.fixture
async def dreams(log, log_dsn):
    async with dreaming(log, log_dsn) as made:
        await made.memory.begin()
        await made.memory.conclude("a", cites=["m1"])
        await made.memory.say("m3", session="t")
        await made.memory.conclude("b", session="t")
        yield made


async def move(dreams, kind, session):
    event = kind(workspace="w", session=session, scope="x", **_TIMES[kind])
    [recorded] = await dreams.memory.append(session_stream("w", session), event)
    return recorded


_TIMES = {
    SessionAddedToScope: {"joined_at": SAID_AT},
    SessionRemovedFromScope: {"left_at": SAID_AT},
}


async def infer(dreams):
    items = [
        {"content": "of a", "source_ids": ["a"]},
        {"content": "of b", "source_ids": ["b"]},
        {"content": "of both", "source_ids": ["a", "b"]},
    ]
    dreams.deduction.script = [
        calls(("create_observations_deductive", {"observations": items}))
    ]
    events = await dreams.have(**SCOPE)
    return {e.content: e.id for e in events if isinstance(e, ConclusionDerived)}


async def test_what_a_scope_inferred_goes_with_the_session_it_rests_on(dreams):
    for session in ("s", "t"):
        await move(dreams, SessionAddedToScope, session)
    found = await infer(dreams)
    assert set(found) == {"of a", "of b", "of both"}
    left = await move(dreams, SessionRemovedFromScope, "t")
    closing = CloseScopes(dreams.memory.decide, dreams.memory.reach)
    for _ in range(2):
        assert await closing(Batch("w/t", (left,))) == Done()
    gone = await dreams.events(ConclusionRetracted)
    assert [each.id for each in gone] == [found["of b"], found["of both"]]
    assert {each.unit for each in gone} == {""}
    held = [id_ for id_, (who, _) in (await dreams.memory.live()).items()]
    assert found["of a"] in held
    assert {"a", "b"} <= {*held}, "the peer itself holds what it held"
    await move(dreams, SessionAddedToScope, "t")
    again = await infer(dreams)
    assert again.keys() == {"of b", "of both"}, "what is known is counted once more"


async def test_whom_a_scope_touches_it_dreams_of_however_little_is_new(dreams):
    came = await move(dreams, SessionAddedToScope, "s")
    for _ in range(2):
        assert await dreams.scheduling(Batch("w/s", (came,))) == Done()
    [scheduled] = await dreams.events(DreamScheduled)
    assert (scheduled.observer, scheduled.observed) == ("scope.x", "alice")
    assert scheduled.trigger == "scope"
    assert scheduled.due_at == dreams.clock() + dreams.rules.rest.idle


async def test_what_moves_while_a_scope_dreams_is_dreamt_of_after(dreams):
    """None is scheduled beside one that is under way, and little is new after it."""
    await move(dreams, SessionAddedToScope, "s")
    search = calls(("search_memory", {"query": "tea"}))
    dreams.deduction.script = [search]
    await dreams.have(**SCOPE)
    await look_after(dreams)
    assert len(await dreams.events(DreamScheduled)) == 1, "nothing moved meanwhile"
    dreams.deduction.script = [search]
    moves = [SessionAddedToScope, SessionRemovedFromScope]
    asked = dreams.deduction.complete

    async def meanwhile(*args, **named):
        while moves:
            moved = await move(dreams, moves.pop(0), "t")
            await dreams.scheduling(Batch("w/t", (moved,)))
        return await asked(*args, **named)

    dreams.deduction.complete = meanwhile
    await dreams.have(**SCOPE)
    assert moves == []
    assert len(await dreams.events(DreamScheduled)) == 2
    await look_after(dreams)
    *_, again = await dreams.events(DreamScheduled)
    assert (again.observer, again.trigger) == ("scope.x", "scope")
    assert again.due_at == dreams.clock() + dreams.rules.rest.between


async def look_after(dreams):
    """Look at the pair as its last dream is over."""
    *_, over = await dreams.recorded(DreamCompleted)
    assert await dreams.scheduling(Batch("w/d", (over,))) == Done()
