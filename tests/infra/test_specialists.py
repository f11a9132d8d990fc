"""Specialists at work over real views: what they write, and what they may not."""

import json

import msgspec
import pytest

from commands.card import ReplaceCard, replace_card
from domain.card import CardEntryAdded, CardEntryRemoved
from domain.conclusion import ConclusionDerived, ConclusionReinforced
from domain.dream import DreamCompleted, DreamStarted, SpecialistCompleted
from domain.retraction import RetractionRecorded
from projections.cards import get_card
from tests.support.dreaming import dreaming
from tests.support.scripted_model import calls, told

RECENT = ("get_recent_observations", {})


def deduce(*items):
    return ("create_observations_deductive", {"observations": list(items)})


def item(content, *sources, **more):
    return {"content": content, "source_ids": list(sources), **more}


@pytest.fixture
async def dreams(log, log_dsn):
    async with dreaming(log, log_dsn) as made:
        await made.memory.begin()
        await made.memory.conclude("a", cites=["m1"])
        await made.memory.conclude("b", cites=["m2"])
        await made.memory.conclude("c", cites=["m1", "m2"])
        yield made


def answers(model, number=-1):
    """What the tools answered before the model's call of this number."""
    return [t.content for t in model.prompts[number].turns if t.role == "tool"]


async def test_what_follows_is_recorded_with_what_it_rests_on(dreams):
    dreams.deduction.script = [
        calls(RECENT),
        calls(deduce(item("alice is a b", "c1", "id:c2"))),
    ]
    events = await dreams.have()
    [derived] = [e for e in events if isinstance(e, ConclusionDerived)]
    assert (derived.level, derived.observer, derived.session) == (
        "deductive",
        "alice",
        None,
    )
    assert derived.sources == ("a", "b")
    assert [each.message for each in derived.evidence] == ["m1", "m2"]
    assert (derived.sessions, derived.engine.prompt) == (("s",), "dream_deduction@1")
    assert derived.engine.model == "scripted-1"
    [started] = [e for e in events if isinstance(e, DreamStarted)]
    assert derived.run == started.id
    deduction, induction = [e for e in events if isinstance(e, SpecialistCompleted)]
    assert (deduction.created, deduction.iterations) == ({"deductive": 1}, 3)
    assert deduction.tool_calls == {
        "get_recent_observations": 1,
        "create_observations_deductive": 1,
    }
    assert (deduction.position, induction.position) == (
        started.position,
        deduction.through,
    )
    [completed] = [e for e in events if isinstance(e, DreamCompleted)]
    assert (completed.changes, completed.reason) == (1, None)
    assert completed.created == {"deductive": 1}
    assert deduction.engine.usage["calls"] == 3
    assert "[c4]" in answers(dreams.deduction)[-1]


async def test_of_several_items_the_sound_ones_are_taken_and_the_others_told(dreams):
    dreams.deduction.script = [
        calls(RECENT),
        calls(
            deduce(
                item("sound", "c1"),
                item("rests on nothing", "c9"),
                item("", "c1"),
                {"content": "no sources"},
                "not an item",
                item("sound too", "c2", "c2"),
            )
        ),
    ]
    events = await dreams.have()
    found = [e for e in events if isinstance(e, ConclusionDerived)]
    assert [each.content for each in found] == ["sound", "sound too"]
    assert found[1].sources == ("b",)
    answer = answers(dreams.deduction)[-1]
    for number in (2, 3, 4, 5):
        assert f"Refused, number {number}:" in answer
    deduction = next(e for e in events if isinstance(e, SpecialistCompleted))
    assert deduction.refused == 4


async def test_a_pattern_wants_two_sources_and_is_no_surer_than_they_make_it(dreams):
    pattern = {"pattern_type": "tendency", "confidence": "high"}
    dreams.induction.script = [
        calls(RECENT),
        calls(
            (
                "create_observations_inductive",
                {
                    "observations": [
                        item("often", "c1", "c2", **pattern),
                        item("once", "c1", **pattern),
                        item("twice the same", "c1", "c1", **pattern),
                        item("more", "c1", "c2", "c3", "c8", **pattern),
                        item("of no kind", "c1", "c2", pattern_type="hunch"),
                    ]
                },
            )
        ),
    ]
    found = [e for e in await dreams.have() if isinstance(e, ConclusionDerived)]
    assert [(e.content, e.pattern, e.confidence) for e in found] == [
        ("often", "tendency", "low"),
        ("more", "tendency", "medium"),
    ]
    assert {each.level for each in found} == {"inductive"}
    assert found[1].sources == ("a", "b", "c")


async def test_a_contradiction_is_recorded_of_two(dreams):
    wrong = ("create_observations_contradiction", {"observations": [item("x", "c1")]})
    right = (
        "create_observations_contradiction",
        {"observations": [item("a and b cannot be", "c1", "c2")]},
    )
    dreams.deduction.script = [calls(RECENT), calls(wrong, right)]
    [found] = [e for e in await dreams.have() if isinstance(e, ConclusionDerived)]
    assert (found.level, found.sources) == ("contradiction", ("a", "b"))


async def test_what_is_known_is_counted_once_more(dreams):
    script = [calls(RECENT), calls(deduce(item("Alice is a b", "c1")))]
    dreams.deduction.script = list(script)
    await dreams.have()
    dreams.deduction.script = [
        calls(RECENT),
        calls(deduce(item(" alice IS a b ", "c2"), item("alice is a b", "c3"))),
    ]
    events = await dreams.have()
    assert not [e for e in events if isinstance(e, ConclusionDerived)]
    assert len([e for e in events if isinstance(e, ConclusionReinforced)]) == 2
    completed = next(e for e in events if isinstance(e, DreamCompleted))
    assert (completed.changes, completed.reason) == (0, "nothing-to-conclude")
    live = await dreams.memory.live()
    assert [times for _, times in live.values() if times > 1] == [3]


async def test_what_is_not_in_the_collection_is_no_source(dreams):
    await dreams.memory.conclude("of_bob", "a", session=None)
    dreams.deduction.script = [calls(deduce(item("stolen", "of_bob"), item("m", "m1")))]
    events = await dreams.have()
    assert not [e for e in events if isinstance(e, ConclusionDerived)]


async def test_an_inference_is_taken_back_as_a_unit_and_comes_back(dreams):
    dreams.deduction.script = [
        calls(RECENT),
        calls(deduce(item("old", "c1"), item("new", "c2"))),
        calls(
            (
                "delete_observations",
                {
                    "observation_ids": ["[c4]", "c1", "c77"],
                    "reason": "outdated",
                    "superseded_by": "c5",
                },
            )
        ),
    ]
    events = await dreams.have()
    old, new = [e for e in events if isinstance(e, ConclusionDerived)]
    [unit] = [e for e in events if isinstance(e, RetractionRecorded)]
    assert ([each.id for each in unit.conclusions], unit.run) == ([old.id], new.run)
    assert (unit.note, unit.actor) == ("outdated", "dream")
    answer = answers(dreams.deduction)[-1]
    assert "[c4]: taken back" in answer
    assert "c1: the peer stated that itself" in answer
    assert "c77: nothing is held" in answer
    completed = next(e for e in events if isinstance(e, DreamCompleted))
    assert completed.deleted == {"deductive": 1}
    assert old.id not in await dreams.memory.live()
    await dreams.memory.undo(unit.unit)
    assert old.id in await dreams.memory.live()


async def test_where_the_workspace_says_so_what_was_stated_may_be_taken_back(
    log, log_dsn
):
    async with dreaming(log, log_dsn) as dreams:
        await dreams.memory.begin(retraction={"agents_may_retract_explicit": True})
        await dreams.memory.conclude("a", cites=["m1"])
        dreams.deduction.script = [
            calls(RECENT),
            calls(("delete_observations", {"observation_ids": ["c1"]})),
        ]
        await dreams.have()
        assert await dreams.memory.live() == {}


async def test_what_falls_meanwhile_is_no_source_any_more(dreams):
    """The views told it held; by the time of the append it is retracted."""
    memory = dreams.memory
    real = dreams.work._means.find_grounds

    async def found_and_retracted(pair, ids):
        found = await real(pair, ids)
        if found:
            await memory.retract("a")
        return found

    dreams.work._means = msgspec.structs.replace(
        dreams.work._means, find_grounds=found_and_retracted
    )
    dreams.deduction.script = [
        calls(RECENT),
        calls(deduce(item("too late", "c1"))),
    ]
    events = await dreams.have()
    assert not [e for e in events if isinstance(e, ConclusionDerived)]
    assert "retracted meanwhile" in answers(dreams.deduction)[-1]


async def card(dreams, **asked):
    async with dreams.memory.readers.acquire() as db:
        return await get_card(db, "w", "alice", "alice", **asked)


async def test_the_card_is_kept_line_by_line(dreams):
    dreams.deduction.script = [
        calls(RECENT),
        calls(
            (
                "update_peer_card",
                {
                    "entries": [
                        item("IDENTITY: Alice", "c1"),
                        item("ATTRIBUTE: Tall", "c2"),
                        item("likes tea", "c1"),
                        item("ATTRIBUTE: Guessed"),
                    ]
                },
            )
        ),
        calls(
            (
                "update_peer_card",
                {
                    "entries": [
                        {"content": "IDENTITY: Alice"},
                        item("ATTRIBUTE: Very tall", "c3", revises="k2"),
                    ]
                },
            )
        ),
    ]
    events = await dreams.have()
    lines = [e for e in events if isinstance(e, CardEntryAdded)]
    assert [(e.entry, e.evidence, e.sessions) for e in lines] == [
        ("IDENTITY: Alice", ("a",), ("s",)),
        ("ATTRIBUTE: Tall", ("b",), ("s",)),
    ]
    first, second = answers(dreams.deduction)[-2:]
    assert "likes tea" in first
    assert "Guessed" in first
    assert "Revised: ATTRIBUTE: Very tall" in second
    assert await card(dreams) == ["IDENTITY: Alice", "ATTRIBUTE: Very tall"]
    completed = next(e for e in events if isinstance(e, DreamCompleted))
    assert completed.card_changes == 3
    await dreams.memory.retract("a")
    await dreams.memory.views.wait_for(await dreams.memory.log.store.head(), 60)
    assert await card(dreams) == ["ATTRIBUTE: Very tall"]


async def test_what_the_owner_sets_meanwhile_is_not_overwritten(dreams):
    memory = dreams.memory
    owners = ReplaceCard(
        workspace="w", observer="alice", observed="alice", entries=("mine",)
    )

    def meanwhile(prompt):
        dreams.prompted = told(prompt)
        return calls(("update_peer_card", {"entries": [item("IDENTITY: Alice", "c1")]}))

    async def set_by_owner(_task):
        await replace_card(memory.write, memory.reach, owners, memory.reason())
        return True

    dreams.work._means = msgspec.structs.replace(
        dreams.work._means, makes_cards=set_by_owner
    )
    dreams.deduction.script = [calls(RECENT), meanwhile, meanwhile]
    await dreams.have()
    first, second = answers(dreams.deduction)[-2:]
    assert "changed meanwhile" in first
    assert "mine (set by its owner)" in first
    assert "Added: IDENTITY: Alice" in second
    assert await card(dreams) == ["mine", "IDENTITY: Alice"]


async def test_a_card_is_refreshed_by_itself(dreams):
    dreams.deduction.script = [
        calls(RECENT),
        calls(("update_peer_card", {"entries": [item("IDENTITY: Alice", "c1")]})),
    ]
    events = await dreams.have(kind="card_refresh")
    [done] = [e for e in events if isinstance(e, SpecialistCompleted)]
    assert (done.specialist, done.card_changes) == ("card_refresh", 1)
    assert dreams.induction.prompts == []
    offered = {tool.name for tool in dreams.deduction.prompts[0].tools}
    assert offered == {"get_recent_observations", "search_memory", "update_peer_card"}
    dreams.deduction.script = [
        calls(("update_peer_card", {"entries": [item("IDENTITY: A", "id:a")]}))
    ]
    events = await dreams.have(kind="card_refresh", rebuild=True)
    assert "IDENTITY: Alice" not in told(dreams.deduction.prompts[3])
    assert [e for e in events if isinstance(e, CardEntryRemoved)]
    assert await card(dreams) == ["IDENTITY: A"]


async def test_where_cards_are_not_made_there_is_no_tool_for_it(log, log_dsn):
    async with dreaming(log, log_dsn) as dreams:
        await dreams.memory.begin(peer_card={"create": False})
        await dreams.have()
        offered = {tool.name for tool in dreams.deduction.prompts[0].tools}
        assert "update_peer_card" not in offered
        assert "delete_observations" in offered
        asked = len(dreams.deduction.prompts)
        events = await dreams.have(kind="card_refresh")
        done = next(e for e in events if isinstance(e, SpecialistCompleted))
        assert (done.ended, done.iterations) == ("cards-are-off", 0)
        assert len(dreams.deduction.prompts) == asked


async def test_each_call_is_for_a_purpose_that_is_the_same_when_it_is_done_again(
    dreams,
):
    scheduled = await dreams.ask()
    await dreams.have(scheduled)
    purposes = [each.purpose for each in dreams.deduction.prompts]
    assert {each.feature for each in purposes} == {"dream.deduction"}
    dream = scheduled.event.id
    assert purposes[0].key == f"dream:{dream}:1:deduction:1"
    assert (purposes[0].run, purposes[0].peer) == (dream, "alice")
    [again] = [each.purpose for each in dreams.induction.prompts]
    assert (again.feature, again.key) == (
        "dream.induction",
        f"dream:{dream}:1:induction:1",
    )


async def test_no_item_makes_a_call_fail_whatever_it_is(dreams):
    for junk in ({}, [None, 1, [], {"content": 7}], "x", None):
        arguments = json.dumps({"observations": junk})
        dreams.deduction.script.append(
            calls(("create_observations_deductive", arguments))
        )
    dreams.deduction.script.append(calls(("Alice's secret", {})))
    events = await dreams.have()
    assert not [e for e in events if isinstance(e, ConclusionDerived)]
    assert [e for e in events if isinstance(e, DreamCompleted)]
    told_of = next(e for e in events if isinstance(e, SpecialistCompleted)).tool_calls
    assert told_of["unknown"] == 1
    assert not [name for name in told_of if "secret" in name]


async def test_what_was_inferred_falls_as_its_level_needs_and_comes_back(dreams):
    pattern = {"pattern_type": "tendency"}
    dreams.deduction.script = [calls(RECENT), calls(deduce(item("both", "c1", "c2")))]
    dreams.induction.script = [
        calls(RECENT),
        calls(
            (
                "create_observations_inductive",
                {"observations": [item("often", "c1", "c2", "c3", **pattern)]},
            )
        ),
    ]
    found = [e for e in await dreams.have() if isinstance(e, ConclusionDerived)]
    ids = {each.level: each.id for each in found}
    first = await dreams.memory.retract("a")
    live = await dreams.memory.live()
    assert ids["deductive"] not in live, "a deduction needs all of them"
    assert ids["inductive"] in live, "a pattern stands on two"
    second = await dreams.memory.retract("b")
    assert ids["inductive"] not in await dreams.memory.live()
    await dreams.memory.undo(second.unit)
    await dreams.memory.undo(first.unit)
    assert {*ids.values()} <= {*await dreams.memory.live()}


async def test_quarantined_words_take_along_all_that_dreams_made_of_them(dreams):
    dreams.deduction.script = [
        calls(RECENT),
        calls(
            deduce(item("of m1", "c1")),
            ("update_peer_card", {"entries": [item("IDENTITY: Alice", "c1")]}),
        ),
    ]
    found = [e for e in await dreams.have() if isinstance(e, ConclusionDerived)]
    await dreams.memory.mark("m1", {"bad": True})
    shown = await dreams.memory.shown({"metadata": {"bad": True}})
    assert {each.id for each in shown.conclusions} == {"a", found[0].id}
    assert [each.text for each in shown.cards] == ["IDENTITY: Alice"]
    assert {each.id for each in shown.kept} == {"c"}
