"""Dreams of several processes, and cards whose lines lost what they rest on."""

import asyncio
import itertools

import pytest

from commands.card import ReplaceCard, replace_card
from commands.decide import Decide
from commands.parents import watch_named_session
from commands.ports import ANY, AppendRequest, StreamAppend
from domain.card import CardEntryAdded
from domain.conclusion import ConclusionDerived
from domain.dream import DreamCompleted, DreamScheduled, DreamStarted
from domain.erasure import SessionDeleted, SessionErased, WorkspaceErasureBegun
from domain.names import session_stream, workspace_stream
from processors.processor import Batch, Done
from processors.schedule_dreams import ScheduleDreams
from projections.cards import get_card
from tests.support.dreaming import dreaming
from tests.support.log import CAUSE
from tests.support.reactions import SAID_AT
from tests.support.scripted_model import calls


@pytest.fixture
async def dreams(log, log_dsn):
    async with dreaming(log, log_dsn) as made:
        await made.memory.begin()
        yield made


async def card(dreams):
    await dreams.memory.views.wait_for(await dreams.memory.log.store.head(), 60)
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
    names = itertools.count(3)

    async def concluded():
        for _ in range(3):
            await dreams.memory.conclude(f"e{next(names)}")

    dreams.dream._work = Meanwhile(dreams.work, concluded)
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


class Meanwhile:
    """Work, before each of which something happens."""

    def __init__(self, work, happens):
        self._work, self._happens = work, happens
        self.engine = work.engine

    async def __call__(self, task):
        await self._happens()
        return await self._work(task)


@pytest.mark.parametrize("told", [True, False])
async def test_a_dream_ends_with_its_workspace_whichever_process_erases_that(
    dreams, told
):
    await dreams.memory.conclude("e1")
    happened = []

    async def erasing():
        if not happened:
            happened.append(
                await dreams.memory.log.store.append(
                    AppendRequest(
                        "w",
                        (StreamAppend(workspace_stream("w"), ANY, (_BEGUN,)),),
                        CAUSE,
                    )
                )
            )
        if told:
            dreams.memory.decide.forget(workspace_stream("w").name)

    item = {"content": "new", "source_ids": ["e1"]}
    deduce = calls(("create_observations_deductive", {"observations": [item]}))
    dreams.deduction.script = [deduce, write(("IDENTITY: Alice", "e1"))]
    dreams.dream._work = Meanwhile(dreams.work, erasing)
    async with asyncio.timeout(60):
        events = await dreams.have()
    assert [type(e) for e in events] == [DreamStarted, WorkspaceErasureBegun]
    assert len(dreams.deduction.prompts) <= 3
    assert dreams.later is not None
    async with asyncio.timeout(60):
        assert await dreams.dream((await dreams.recorded(DreamScheduled))[0])
    assert len(dreams.deduction.prompts) <= 3, "no model is asked for what is erased"


_BEGUN = WorkspaceErasureBegun(workspace="w")


@pytest.mark.parametrize("what", ["inference", "card"])
async def test_nothing_is_built_on_a_session_another_process_deleted(dreams, what):
    await dreams.memory.say("m3", session="t")
    await dreams.memory.conclude("e1", session="t")

    async def deleted():
        event = SessionDeleted(
            workspace="w", session="t", deleted_at=SAID_AT, purge_at=SAID_AT
        )
        stream = StreamAppend(session_stream("w", "t"), ANY, (event,))
        await dreams.memory.log.store.append(AppendRequest("w", (stream,), CAUSE))

    item = {"content": "new", "source_ids": ["e1"]}
    dreams.deduction.script = {
        "inference": [
            calls(("create_observations_deductive", {"observations": [item]}))
        ],
        "card": [write(("IDENTITY: Alice", "e1"))],
    }[what]
    await dreams.memory.decide.look(watch_named_session("w", "t"))
    real = dreams.work
    dreams.dream._work = Meanwhile(real, deleted)
    [scheduled] = [await dreams.ask()]
    before = len(await dreams.events(ConclusionDerived, CardEntryAdded))
    await dreams.have(scheduled)
    assert len(await dreams.events(ConclusionDerived, CardEntryAdded)) == before


ODD = [
    "[" * 300 + "]" * 300,
    "[" * 700 + "]" * 700,
    '{"a":' * 400 + "1" + "}" * 400,
    '{"content": 1e999, "source_ids": {"x": null}}',
    '{"content": "\\ud800\\u0000", "source_ids": ["\\u0000", "c1", "e1\\ud800"]}',
    '{"content": "x", "source_ids": ["../w2/alice", "id:e1\'--", "[id:e1]", ""]}',
    "NaN",
    '"\\u0000"',
    "1" * 4_000,
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
async def test_whatever_a_model_writes_a_dream_comes_to_its_end(dreams, odd):
    await dreams.memory.conclude("e1")
    lists = ("observations", "entries", "observation_ids")
    wrong = "{" + ", ".join(f'"{each}": [{odd}, {odd}]' for each in lists) + "}"
    tools = (
        "create_observations_deductive",
        "create_observations_contradiction",
        "delete_observations",
        "update_peer_card",
        "get_recent_observations",
        "search_memory",
        "search_messages",
        "no such \x00 tool",
    )
    dreams.deduction.script = [
        calls(*((tool, given) for tool in tools)) for given in (wrong, odd)
    ]
    dreams.induction.script = [calls(("create_observations_inductive", wrong))]
    events = await dreams.have()
    assert isinstance(events[-1], DreamCompleted)
    assert await card(dreams) is None
