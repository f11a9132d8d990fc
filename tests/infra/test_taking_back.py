"""What falls with a conclusion, and how all of it comes back, on real views."""

import pytest

from commands.derivation import RecordDerivation, record_derivation
from commands.erasure import Bereft, retract_bereft
from domain.conclusion import Evidence, Found
from domain.derivation import Considered
from domain.errors import Conflict, NotFound
from domain.retraction import ExplicitFact, KeptConclusion
from tests.support.log import CAUSE
from tests.support.reactions import SAID_AT
from tests.support.taking import ENGINE, ground


@pytest.fixture
async def memory(log, log_dsn):
    async with ground(log, log_dsn) as made:
        yield made


async def chain(memory):
    """a and b are said; c follows from both, d from c; e is a pattern of three."""
    await memory.begin()
    await memory.conclude("a", cites=["m1"])
    await memory.conclude("b", cites=["m2"])
    await memory.conclude("x", cites=["m2"])
    await memory.conclude("c", "a", "b", session=None)
    await memory.conclude("d", "c", session="t")
    await memory.conclude("e", "a", "b", "x", level="inductive")


async def test_what_cannot_stand_without_it_falls_and_what_can_is_kept(memory):
    await chain(memory)
    shown = await memory.preview("a")
    done = await memory.retract("a")
    because = {each.id: each.because for each in done.conclusions}
    assert because == {"a": None, "c": "a", "d": "c"}
    assert done.kept == (KeptConclusion(id="e", lost="a"),)
    assert (shown.conclusions, shown.kept) == (done.conclusions, done.kept)
    assert set(await memory.live()) == {"b", "x", "e"}


async def test_a_pattern_falls_with_the_second_of_its_three(memory):
    await chain(memory)
    await memory.retract("a")
    done = await memory.retract("b")
    assert [each.id for each in done.conclusions] == ["b", "e"]


async def test_undone_everything_holds_as_it_was_held(memory):
    await chain(memory)
    before = await memory.live()
    first = await memory.retract("a")
    second = await memory.retract("b")
    assert (await memory.undo(second.unit)).state.lost == ()
    await memory.undo(first.unit)
    assert await memory.live() == before


async def test_undoing_twice_is_undoing_once(memory):
    await chain(memory)
    done = await memory.retract("a")
    one, two = [await memory.undo(done.unit) for _ in range(2)]
    assert one.state == two.state
    again = await memory.retract("a")
    assert again.unit != done.unit
    assert set(await memory.live()) == {"b", "x", "e"}


async def test_what_rests_on_what_another_unit_took_waits_for_that(memory):
    await chain(memory)
    first = await memory.retract("c")
    second = await memory.retract("a")
    with pytest.raises(Conflict, match=str(second.unit)):
        await memory.undo(first.unit)
    await memory.undo(second.unit)
    await memory.undo(first.unit)
    assert set(await memory.live()) == {"a", "b", "x", "c", "d", "e"}


async def test_what_is_erased_meanwhile_does_not_come_back_and_is_told(memory):
    await chain(memory)
    done = await memory.retract("a")
    bereft = Bereft(id="c", session=None, observer="bob", observed="alice")
    await retract_bereft(memory.decide, "w", [bereft], CAUSE)
    undone = await memory.undo(done.unit)
    assert undone.state.lost == ("c", "d")
    assert set(await memory.live()) == {"a", "b", "x", "e"}


async def test_one_observers_copy_takes_only_what_that_observer_holds(memory):
    await chain(memory)
    done = await memory.retract("c", everywhere=False)
    assert [each.id for each in done.conclusions] == ["c"]
    assert "d" in await memory.live()


async def test_a_correction_is_held_by_who_held_it_and_goes_when_undone(memory):
    await chain(memory)
    before = await memory.live()
    done = await memory.correct("a", "alice is A")
    right = done.recorded.event.id
    assert {"a", "c", "d"}.isdisjoint(await memory.live())
    assert (await memory.live())[right] == ("alice", 1)
    await memory.conclude("f", right, "b")
    undone = await memory.undo(done.retracted.unit)
    assert [each.id for each in undone.state.withdrawn] == [right, "f"]
    assert await memory.live() == before


async def test_a_correction_that_was_corrected_itself_is_undone_in_turn(memory):
    await chain(memory)
    first = await memory.correct("a", "alice is A")
    second = await memory.correct(first.recorded.event.id, "alice is AA")
    with pytest.raises(Conflict, match=str(second.retracted.unit)):
        await memory.undo(first.retracted.unit)
    await memory.undo(second.retracted.unit)
    await memory.undo(first.retracted.unit)
    assert "a" in await memory.live()


async def test_agents_retract_what_was_said_only_if_the_workspace_lets_them(memory):
    await chain(memory)
    with pytest.raises(ExplicitFact):
        await memory.retract("a", agent=True)
    assert (await memory.retract("c", agent=True)).unit


async def test_agents_may_where_the_workspace_says_so(memory):
    await memory.begin(retraction={"agents_may_retract_explicit": True})
    await memory.conclude("a", cites=["m1"])
    assert (await memory.retract("a", agent=True)).unit


async def test_what_nobody_holds_is_not_found(memory):
    await chain(memory)
    await memory.retract("a")
    for act in (memory.retract, memory.preview):
        with pytest.raises(NotFound):
            await act("a")
    with pytest.raises(NotFound):
        await memory.correct("c", "no")
    with pytest.raises(NotFound):
        await memory.undo("nothing")


async def test_a_command_carried_out_again_answers_what_it_answered(memory):
    await chain(memory)
    one, two = [await memory.retract("a", key=1) for _ in range(2)]
    assert one == two
    right, again = [await memory.correct("b", "alice is B", key=2) for _ in range(2)]
    assert right == again
    undone = [await memory.undo(right.retracted.unit, key=3) for _ in range(2)]
    assert undone[0] == undone[1]


async def derived(memory, name, *numbers):
    """Let an engine find the same in each of these messages; return what is new."""
    found = [
        Found(
            id="",
            observed="alice",
            content="alice likes tea",
            occurred_at=SAID_AT,
            evidence=(Evidence(f"m{n}", "s", n),),
        )
        for n in numbers
    ]
    command = RecordDerivation(
        workspace="w",
        session="s",
        position=10**6,
        name=name,
        messages=tuple(Considered(n, "alice", True, f"m{n}") for n in numbers),
        found=tuple(found),
        engine=ENGINE,
        cause=CAUSE,
        causes=dict.fromkeys(numbers, CAUSE),
    )
    await record_derivation(memory.decide, command)
    return set(await memory.live())


async def test_the_same_words_reasoned_about_again_bring_nothing_back(memory):
    await memory.begin()
    [first] = await derived(memory, "one", 1)
    await memory.retract(first)
    assert await derived(memory, "one", 1) == set()
    assert await derived(memory, "cut differently", 1) == set()
    [anew] = await derived(memory, "said again", 1, 2)
    assert anew != first
    rests_on = "SELECT message FROM evidence WHERE conclusion = $1"
    rows = await memory.readers.fetch(rests_on, anew)
    assert [row["message"] for row in rows] == ["m2"]
