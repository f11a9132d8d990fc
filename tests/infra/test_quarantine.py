"""A quarantine takes everything downstream of what it selects, and gives it back."""

from functools import partial

import pytest

from commands.decide import Decide
from commands.derivation import RecordDerivation, record_derivation
from commands.parents import watch_named_session
from domain.conclusion import Evidence, Found
from domain.derivation import Considered
from domain.errors import Conflict, Invalid
from domain.event import Engine
from domain.names import session_stream
from domain.retraction import KeptConclusion, TakenMessages, TooMuch
from domain.session import MessageAdded
from processors.processor import Batch, Done
from processors.reasoner import SummedUp
from processors.summarize_session import SummarizeSession
from tests.support.log import CAUSE
from tests.support.reactions import SAID_AT
from tests.support.taking import ENGINE, Words, ground

OTHER = Engine(name="openai", version="3", model="gpt-x", prompt="derive")


@pytest.fixture
async def memory(log, log_dsn):
    async with ground(log, log_dsn) as made:
        yield made


async def told(memory):
    """Alice says m1 and m2 in s, bob m3 in t; what follows rests on one or on both."""
    await memory.begin()
    await memory.say("m3", session="t", author="bob")
    await memory.conclude("a", cites=["m1"])
    await memory.conclude("b", cites=["m2"])
    await memory.conclude("both", cites=["m1", "m2"])
    await memory.conclude("c", "a", "b", session=None)
    await memory.conclude("p", "a", "b", "both", level="inductive")
    await memory.conclude("free")
    await memory.sum_up("S1", 1)
    await memory.sum_up("S2", 2)


FIRST = {"AND": [{"session_id": "s"}, {"peer_id": "alice"}]}
WORDS = {"metadata": {"mood": "calm"}}


async def only_m1(memory, **more):
    """Quarantine the one message that has the metadata of ``WORDS``."""
    return await memory.quarantine(WORDS, **more)


async def mark_m1(memory):
    await told(memory)
    await memory.mark("m1", WORDS["metadata"])


async def test_what_rests_on_it_falls_what_else_stands_is_kept(memory):
    await mark_m1(memory)
    done = (await only_m1(memory)).taken
    assert {each.id: each.because for each in done.conclusions} == {"a": None, "c": "a"}
    assert set(done.kept) == {
        KeptConclusion(id="both", lost="m1"),
        KeptConclusion(id="p", lost="a"),
    }
    assert done.messages == (TakenMessages(session="s", ids=("m1",)),)
    assert [(each.id, each.fallback) for each in done.summaries] == [("S2", None)]
    assert set(await memory.live()) == {"b", "both", "p", "free"}


async def test_withheld_it_is_not_recalled_and_undone_it_is_all_back(memory):
    await mark_m1(memory)
    before = await memory.live()
    done = await only_m1(memory)
    assert await memory.recalled() == {"m2"}
    assert await memory.summary() is None
    undone = await memory.undo(done.unit)
    assert undone.state.lost == ()
    assert await memory.recalled() == {"m1", "m2"}
    assert await memory.summary() == "S2"
    assert await memory.live() == before


async def test_a_summary_makes_way_for_the_last_that_tells_nothing_of_it(memory):
    await told(memory)
    await memory.mark("m2", WORDS["metadata"])
    done = await only_m1(memory)
    [gone] = done.taken.summaries
    assert (gone.id, gone.fallback, await memory.summary()) == ("S2", "S1", "S1")
    await memory.sum_up("anew", 2)
    assert await memory.summary() == "anew"
    undone = await memory.undo(done.unit)
    assert undone.state.lost == ("S2",)
    assert await memory.summary() == "anew"


async def test_of_two_that_took_from_one_chain_the_later_is_undone_first(memory):
    await told(memory)
    await memory.mark("m2", WORDS["metadata"])
    first = await only_m1(memory)
    second = await memory.quarantine(FIRST)
    assert await memory.summary() is None
    with pytest.raises(Conflict, match=second.unit):
        await memory.undo(first.unit)
    await memory.undo(second.unit)
    await memory.undo(first.unit)
    assert await memory.summary() == "S2"
    assert await memory.recalled() == {"m1", "m2"}


async def test_what_a_peer_said_in_a_session_is_selected_by_the_filters_of_lists(
    memory,
):
    await told(memory)
    done = (await memory.quarantine(FIRST)).taken
    fallen = {each.id for each in done.conclusions}
    assert fallen == {"a", "b", "both", "c", "p"}
    assert await memory.recalled("t") == {"m3"}
    assert set(await memory.live()) == {"free"}


async def test_by_its_source_goes_what_an_engine_derived_and_no_message(memory):
    await told(memory)
    await memory.conclude("x", cites=["m2"], engine=OTHER)
    await memory.conclude("y", "x", "b")
    source = {"engine": "openai", "model": "gpt-x", "prompt": "derive"}
    done = (await memory.quarantine(source=source)).taken
    assert [each.id for each in done.conclusions] == ["x", "y"]
    assert done.messages == done.summaries == ()
    assert await memory.recalled() == {"m1", "m2"}
    with pytest.raises(Invalid):
        await memory.quarantine(source={"engine": "openai", "version": "4"})


async def test_by_both_goes_what_it_derived_of_those_messages(memory):
    await mark_m1(memory)
    done = (await only_m1(memory, source={"engine": ENGINE.name})).taken
    assert {"a", "both", "c"} <= {each.id for each in done.conclusions}
    assert "b" not in {each.id for each in done.conclusions}
    assert [each.id for each in done.summaries] == ["S2"]
    assert done.messages == ()


async def test_the_answers_that_cite_it_are_told_before(memory):
    await mark_m1(memory)
    await memory.answer("q", messages=("m1",))
    await memory.answer("r", messages=("m2",))
    assert (await memory.shown(WORDS)).answers == ("q",)


async def test_a_retraction_waits_for_the_words_it_rests_on(memory):
    await mark_m1(memory)
    first = await memory.retract("a")
    second = await only_m1(memory)
    with pytest.raises(Conflict, match=second.unit):
        await memory.undo(first.unit)
    await memory.undo(second.unit)
    assert (await memory.undo(first.unit)).state.lost == ()


def late():
    """Return what an engine drew of m1, and of m1 and m2."""
    found = [
        Found(
            id="",
            observed="alice",
            content=content,
            occurred_at=SAID_AT,
            evidence=tuple(Evidence(f"m{n}", "s", n) for n in numbers),
        )
        for content, numbers in (("one", [1]), ("both anew", [1, 2]))
    ]
    return RecordDerivation(
        workspace="w",
        session="s",
        position=10**6,
        name="late",
        messages=tuple(Considered(n, "alice", True, f"m{n}") for n in (1, 2)),
        found=tuple(found),
        engine=ENGINE,
        cause=CAUSE,
        causes={1: CAUSE, 2: CAUSE},
    )


def drawn(appended):
    events = [each.event for each in appended.recorded]
    return [(e.content, e.evidence) for e in events if hasattr(e, "content")]


FROM_M2 = [("both anew", (Evidence("m2", "s", 2),))]


async def test_nothing_is_drawn_from_what_is_withheld_meanwhile(memory):
    await mark_m1(memory)
    await only_m1(memory)
    assert drawn(await record_derivation(memory.decide, late())) == FROM_M2


async def test_nor_by_a_process_that_has_not_heard_of_it_yet(memory):
    await mark_m1(memory)
    server = Decide(memory.log.store)
    await server.look(watch_named_session("w", "s"))
    await only_m1(memory)
    assert drawn(await record_derivation(server, late())) == FROM_M2


async def test_it_needs_something_to_select_by_and_something_that_fits(memory):
    await told(memory)
    for filters in ({}, {"session_id": "nowhere"}, {"nonsense": 1}):
        with pytest.raises(Invalid):
            await memory.quarantine(filters)


async def test_it_takes_no_more_than_one_append_should(memory, monkeypatch):
    await told(memory)
    monkeypatch.setattr("domain.retraction.MOST_TAKEN", 7)
    with pytest.raises(TooMuch):
        await memory.quarantine(FIRST)


async def test_carried_out_again_it_answers_what_it_answered(memory):
    await mark_m1(memory)
    one, two = [await only_m1(memory, key=5) for _ in range(2)]
    assert one == two


class Listening:
    """Sums up, and remembers what it was given."""

    engine = ENGINE

    def __init__(self, *meanwhile):
        self.meanwhile = list(meanwhile)

    async def summarize(self, _kind, previous, window, **_):
        self.previous, self.said = previous, [each.id for each in window]
        while self.meanwhile:
            await self.meanwhile.pop()()
        return SummedUp("anew", ENGINE)


async def test_the_next_summary_absorbs_the_one_before_and_nothing_withheld(memory):
    await told(memory)
    await memory.mark("m2", WORDS["metadata"])
    await only_m1(memory)
    due = await say_m9(memory)
    reasoner = Listening()
    assert await summing_up(memory, memory.decide, reasoner)(due) == Done()
    assert (reasoner.previous, reasoner.said) == ("summary S1", ["m9"])
    assert await memory.summary() not in {None, "S1", "S2"}


@pytest.mark.parametrize("knowing", [True, False])
async def test_what_is_withheld_while_it_is_summed_up_is_summed_up_anew(
    memory, knowing
):
    await memory.begin()
    await memory.mark("m1", WORDS["metadata"])
    due = await say_m9(memory)
    server = memory.decide if knowing else Decide(memory.log.store)
    await server.look(watch_named_session("w", "s"))
    reasoner = Listening(partial(only_m1, memory))
    assert await summing_up(memory, server, reasoner)(due) == Done()
    assert reasoner.said == ["m2", "m9"]
    assert await memory.summary() is not None


async def say_m9(memory):
    [due] = await memory.append(
        session_stream("w", "s"),
        MessageAdded(
            workspace="w",
            session="s",
            id="m9",
            seq=3,
            author="alice",
            created_at=SAID_AT,
            tokens=1,
            content="words of m9",
            summaries=("short",),
        ),
    )
    return Batch("w/s", (due,))


def summing_up(memory, decide, reasoner):
    return SummarizeSession(
        decide, memory.log.store, reasoner, tokens=Words(), clock=lambda: SAID_AT
    )
