"""Given a model's answers, what is believed of them, and what is recorded."""

import json
import re
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from domain.derivation import Refused
from domain.event import Call
from processors.language_model import (
    Completion,
    Malformed,
    ModelRefused,
    Purpose,
    Structured,
    Usage,
)
from processors.model_reasoner import Limits, ModelReasoner
from processors.prompts import derive_conclusions
from processors.reasoner import Fact, Said, Window
from tests.support.application import WordCounter

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Scripted:
    """A model that answers what it was told to, and keeps what it was asked."""

    transport = "openai"
    model = "m"
    parameters = {"seed": "7"}

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def complete(self, prompt):
        self.asked.append(prompt)
        usage = Usage(input=100, output=10)
        call = Call(latency_ms=2, cost_usd_micros=3)
        return Completion(text=self.answers.pop(0), model="m-1", usage=usage, call=call)

    async def structured(self, prompt, schema):
        completion = await self.complete(prompt)
        assert schema.name == "facts"
        return Structured(json.loads(completion.text), completion)


def window(*lines):
    return [
        Said(f"id{n}", author, text, AT) for n, (author, text) in enumerate(lines, 1)
    ]


LINES = window(("ann", "I ski."), ("bob", "Where?"), ("ann", "In Chur."))


def facts(*said):
    return json.dumps({"explicit": list(said)})


PURPOSE = Purpose(workspace="w", feature="deriver.representation", key="k")


def given(lines, *observed):
    return Window(said=lines, observed=observed, purpose=PURPOSE)


async def derive(answer, lines=LINES, observed=("ann",)):
    model = Scripted(answer)
    return await ModelReasoner(model, WordCounter()).derive(given(lines, *observed))


async def test_who_stood_in_for_the_model_is_named():
    class StoodIn(Scripted):
        async def complete(self, prompt):
            answered = await super().complete(prompt)
            return replace(answered, transport="anthropic", fallback=True)

    model = StoodIn(facts({"content": "ann skis", "evidence": [1]}))
    drawn = await ModelReasoner(model, WordCounter()).derive(given(LINES, "ann"))
    assert (drawn.engine.name, drawn.engine.model) == ("anthropic", "m-1")


async def test_each_fact_rests_on_the_lines_it_names():
    drawn = await derive(facts({"content": "ann skis in Chur", "evidence": [1, 3]}))
    assert drawn.facts == (Fact("ann", "ann skis in Chur", ("id1", "id3")),)
    engine = drawn.engine
    assert (engine.name, engine.model, engine.version) == ("openai", "m-1", "2")
    assert engine.prompt == "derive_conclusions@2"
    assert engine.parameters == {"seed": "7", "finish": "stop"}
    assert engine.usage["output"] == 10
    assert engine.prompt_hash == derive_conclusions.HASH
    assert engine.call == Call(latency_ms=2, attempts=1, cost_usd_micros=3)


async def test_lines_that_are_not_there_and_facts_on_nothing_are_counted():
    drawn = await derive(
        facts(
            {"content": "ann skis", "evidence": [1, 99, 0]},
            {"content": "ann flies", "evidence": [98]},
        )
    )
    assert [each.content for each in drawn.facts] == ["ann skis"]
    assert drawn.refused == Refused(1, 3)


@pytest.mark.parametrize(
    ("evidence", "believed"),
    [
        ([3, 3, 99, 0, -1], ("id3",)),
        (["3", "[1]"], ("id3", "id1")),
        ([True, None, 1.0, "x", "9" * 5_000, {}, 1], ("id1",)),
    ],
)
async def test_numbers_of_no_line_are_left_out(evidence, believed):
    drawn = await derive(facts({"content": "ann skis", "evidence": evidence}))
    assert drawn.facts == (Fact("ann", "ann skis", believed),)


@pytest.mark.parametrize("fact", [{"evidence": []}, {"evidence": [99]}, {}])
async def test_a_fact_that_rests_on_nothing_is_refused(fact):
    given = {"content": "ann skis", "evidence": [1]}
    drawn = await derive(facts(given, {"content": "made up"} | fact))
    assert [each.content for each in drawn.facts] == ["ann skis"]


async def test_an_answer_whose_facts_all_rest_on_nothing_is_none():
    with pytest.raises(Malformed):
        await derive(facts({"content": "made up", "evidence": []}))


@pytest.mark.parametrize("unnumbered", [{}, {"evidence": None}, {"evidence": [0]}])
async def test_an_answer_that_numbers_no_line_rests_on_all_its_peer_said(unnumbered):
    drawn = await derive(facts({"content": "ann skis"} | unnumbered))
    own = tuple(each.id for each in LINES if each.author == "ann")
    assert len(own) > 1
    assert drawn.facts == (Fact("ann", "ann skis", own),)


async def test_what_one_line_alone_can_mean_needs_no_number():
    lines = window(("bob", "Hi"), ("ann", "I ski."))
    for evidence in ({}, {"evidence": []}, {"evidence": [99]}):
        drawn = await derive(facts({"content": "ann skis"} | evidence), lines)
        assert drawn.facts == (Fact("ann", "ann skis", ("id2",)),)


@pytest.mark.parametrize("nothing", [facts(), '{"explicit": null}'])
async def test_nothing_stated_is_an_answer(nothing):
    assert (await derive(nothing)).facts == ()
    assert (await derive(facts({"content": " ", "evidence": []}))).facts == ()


async def test_a_message_too_long_for_one_call_is_read_in_pieces_to_its_end():
    words = [f"w{n}" for n in range(2_500)]
    first = facts({"content": "ann talks", "evidence": [2]})
    model = Scripted(first, *[facts({"content": "ann talks", "evidence": [1]})] * 5)
    lines = window(("bob", "Go on!"), ("ann", " ".join(words)))
    reasoner = ModelReasoner(model, WordCounter(), Limits(input=2_000))
    drawn = await reasoner.derive(given(lines, "ann"))
    told = " ".join(each.turns[1].content for each in model.asked)
    assert all(re.search(rf"\b{word}\b", told) for word in words)
    assert all(len(each.turns[1].content.split()) < 1_000 for each in model.asked)
    assert len(model.asked) > 2
    assert {each.evidence for each in drawn.facts} == {("id2",)}
    assert drawn.engine.usage["calls"] == len(model.asked)


async def test_the_words_of_who_is_not_asked_about_are_cut_instead():
    model = Scripted(facts())
    lines = window(("bob", "word " * 9_000), ("ann", "I ski."))
    reasoner = ModelReasoner(model, WordCounter(), Limits(input=2_000))
    await reasoner.derive(given(lines, "ann"))
    [asked] = model.asked
    assert "I ski." in asked.turns[1].content
    assert asked.turns[1].content.count("word") < 250


async def test_one_call_tells_of_all_peers_and_whose_each_fact_is():
    lines = window(("ann", "I ski."), ("bob", "I sail."), ("cyd", "I row."))
    answer = facts(
        {"peer": "ann", "content": "ann skis", "evidence": [1]},
        {"peer": "BOB ", "content": "bob sails", "evidence": [2]},
        {"content": "bob is outdoors", "evidence": [2]},
        {"peer": "cyd", "content": "cyd rows", "evidence": [3]},
        {"peer": "somebody", "content": "they go out", "evidence": [1, 2]},
    )
    drawn = await derive(answer, lines, ("ann", "bob"))
    assert drawn.facts == (
        Fact("ann", "ann skis", ("id1",)),
        Fact("bob", "bob sails", ("id2",)),
        Fact("bob", "bob is outdoors", ("id2",)),
    )
    assert drawn.refused == Refused(2, 0)


async def test_a_summary_says_what_it_took_and_has_its_tokens():
    model = Scripted("They spoke of skiing.")
    limits = Limits(summaries={"short": 2, "long": 9})
    reasoner = ModelReasoner(model, WordCounter(), limits)
    summed_up = await reasoner.summarize("short", "Before.", LINES)
    assert summed_up.text.split() == ["They", "spoke"]
    assert model.asked[0].max_tokens == 2
    assert summed_up.engine.prompt == "summarize_short@1"


async def test_what_does_not_fit_one_call_is_summed_up_in_steps():
    model = Scripted("One.", "Two.")
    limits = Limits(input=2_300, summaries={"short": 100, "long": 100})
    lines = window(("ann", "a " * 800), ("ann", "b " * 800))
    reasoner = ModelReasoner(model, WordCounter(), limits)
    summed_up = await reasoner.summarize("long", "", lines)
    assert summed_up.text == "Two."
    assert "One." in model.asked[1].turns[1].content
    assert summed_up.engine.usage["calls"] == 2
    assert summed_up.engine.call.attempts == 2


async def test_each_call_of_one_work_has_a_purpose_of_its_own():
    model = Scripted("One.", " ", "Two.", facts())
    reasoner = ModelReasoner(model, WordCounter(), Limits(input=2_300))
    lines = window(("ann", "a " * 800), ("ann", "b " * 800))
    purpose = Purpose(workspace="w", feature="summary.long", key="s/1-2")
    await reasoner.summarize("long", "", lines, purpose=purpose)
    told = [each.purpose for each in model.asked]
    assert len({each.key for each in told}) == 3
    assert {each.feature for each in told} == {"summary.long"}
    await reasoner.derive(given(LINES, "ann"))
    asked = model.asked[-1].purpose
    assert (asked.workspace, asked.feature) == ("w", "deriver.representation")
    assert asked.key.startswith("k")


async def test_a_model_that_says_nothing_is_asked_again_and_then_has_no_summary():
    reasoner = ModelReasoner(Scripted(" ", "They ski."), WordCounter())
    summed_up = await reasoner.summarize("short", "", LINES)
    assert summed_up.text == "They ski."
    assert summed_up.engine.usage["calls"] == 2
    reasoner = ModelReasoner(Scripted(" ", ""), WordCounter())
    none = await reasoner.summarize("short", "Before.", LINES)
    assert (none.text, none.engine.usage["calls"]) == ("", 2)
    assert none.engine.call.attempts == 2


async def test_what_a_model_filters_has_no_summary_and_no_other_refusal_is_hidden():
    class Refusing(Scripted):
        async def complete(self, prompt):
            self.asked.append(prompt)
            raise ModelRefused("the model", self.answers.pop(0))

    reasoner = ModelReasoner(
        Refusing("content_filter", "content_filter"), WordCounter()
    )
    assert (await reasoner.summarize("long", "", LINES)).text == ""
    reasoner = ModelReasoner(Refusing("status 400"), WordCounter())
    with pytest.raises(ModelRefused):
        await reasoner.summarize("long", "", LINES)


async def test_nothing_said_needs_no_model():
    reasoner = ModelReasoner(Scripted(), WordCounter())
    assert (await reasoner.summarize("long", "", [])).text == ""
