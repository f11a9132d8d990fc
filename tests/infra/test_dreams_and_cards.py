"""Dreams of several processes, and cards whose lines lost what they rest on."""

import pytest

from commands.card import ReplaceCard, replace_card
from commands.decide import Decide
from domain.dream import DreamScheduled
from domain.erasure import SessionErased
from domain.names import session_stream
from processors.processor import Batch, Done
from processors.schedule_dreams import ScheduleDreams
from projections.cards import get_card
from tests.support.dreaming import dreaming
from tests.support.reactions import SAID_AT
from tests.support.scripted_model import calls


@pytest.fixture
async def dreams(log, log_dsn):
    async with dreaming(log, log_dsn) as made:
        await made.memory.begin()
        yield made


async def card(dreams):
    await dreams.memory.views.wait_for(await dreams.memory.log.store.head(), 10)
    async with dreams.memory.readers.acquire() as db:
        return await get_card(db, "w", "alice", "alice")


def write(*entries):
    items = [{"content": text, "source_ids": list(of)} for text, *of in entries]
    return calls(("update_peer_card", {"entries": items}))


async def put(dreams, *entries):
    command = ReplaceCard(
        workspace="w", observer="alice", observed="alice", entries=entries
    )
    memory = dreams.memory
    await replace_card(memory.write, memory.reach, command, memory.reason())


async def test_a_process_sees_that_another_ended_a_dream(dreams):
    other = ScheduleDreams(
        Decide(dreams.memory.log.store), dreams.news, dreams.rules, dreams.clock
    )
    for n in range(3):
        await dreams.memory.conclude(f"e{n}")
    asked = await dreams.ask()
    last = (await dreams.recorded())[-2]
    assert await other(Batch("w/s", (last,))) == Done(), "it knows of the one asked for"
    dreams.clock.now = (await dreams.recorded())[-1].recorded_at
    real = dreams.work

    class Meanwhile:
        engine = real.engine

        async def __call__(self, task):
            for n in range(3):
                await dreams.memory.conclude(f"{task.specialist}{n}")
            return await real(task)

    dreams.dream._work = Meanwhile()
    done = await dreams.have(asked)
    [completed] = [e for e in await dreams.recorded() if e.event == done[-1]]
    assert await other(Batch("w/s", (completed,))) == Done()
    assert [e.trigger for e in await dreams.events(DreamScheduled)] == [
        "asked",
        "threshold",
    ]


async def test_what_the_owner_sets_is_shown_though_an_agents_line_was_withdrawn(dreams):
    await dreams.memory.conclude("e1")
    dreams.deduction.script = [write(("IDENTITY: Alice", "e1"))]
    await dreams.have()
    assert await card(dreams) == ["IDENTITY: Alice"]
    await dreams.memory.retract("e1")
    assert await card(dreams) == []
    await put(dreams, "IDENTITY: Alice")
    assert await card(dreams) == ["IDENTITY: Alice"]
    await put(dreams, "IDENTITY: Alice", "more")
    assert await card(dreams) == ["IDENTITY: Alice", "more"]


async def test_a_line_that_was_erased_may_be_written_again(dreams):
    await dreams.memory.say("m3", session="t")
    await dreams.memory.conclude("e1", session="t")
    await dreams.memory.conclude("e2")
    dreams.deduction.script = [write(("IDENTITY: Alice", "e1"))]
    await dreams.have()
    erased = SessionErased(
        workspace="w",
        session="t",
        erased_at=SAID_AT,
        through=await dreams.memory.log.store.head(),
    )
    await dreams.memory.append(session_stream("w", "t"), erased)
    assert await card(dreams) == []
    dreams.deduction.script = [write(("IDENTITY: Alice", "e2"))]
    await dreams.have()
    assert await card(dreams) == ["IDENTITY: Alice"]


async def test_a_withdrawn_line_stands_again_on_what_is_left_of_its_evidence(dreams):
    await dreams.memory.conclude("e1")
    await dreams.memory.conclude("e2")
    dreams.deduction.script = [write(("IDENTITY: Alice", "e1", "e2"))]
    await dreams.have()
    await dreams.memory.retract("e1")
    assert await card(dreams) == []
    dreams.deduction.script = [
        write(("IDENTITY: Alice",)),
        write(("IDENTITY: Alice", "e2")),
    ]
    [told] = [e for e in await dreams.have() if getattr(e, "card_changes", 0)][:1]
    assert (told.card_changes, told.refused) == (1, 1)
    assert await card(dreams) == ["IDENTITY: Alice"]
