"""A run asks, uses tools and ends, however its model behaves (RS 8.4, 14.16)."""

import json

import msgspec
import pytest

from processors.agent_loop import AgentLoop, AgentRun, Limits
from processors.conversation import Conversation, cost_of
from processors.language_model import (
    Completion,
    JsonSchema,
    Purpose,
    ToolCall,
    Turn,
    Unavailable,
    Usage,
)
from processors.prompts.agent_turns import CONCLUDE, NUDGE
from processors.tools.toolbox import Toolbox
from tests.support.scripted_model import Says, ScriptedModel, calls
from tests.support.tools import EchoTool

OPENING = (Turn("system", "Be brief."), Turn("user", "Tea?"))
PURPOSE = Purpose(workspace="w", feature="dialectic.answer", run="r1")


class Words:
    def count(self, text):
        return len(text.split())


class Characters:
    def count(self, text):
        return len(text)


def looping(model, *tools, tokens=None, purpose=PURPOSE, schema=None, **limits):
    plain = {"iterations": 3, "max_input": 5_000, "max_output": 50}
    return AgentLoop(
        model,
        Limits(**{**plain, "max_total": 100_000, **limits}),
        Toolbox(tools or [EchoTool()]),
        tokens=tokens or Words(),
        purpose=purpose,
        schema=schema,
    )


async def test_a_reply_without_calls_is_the_answer():
    model = ScriptedModel("Green tea.")
    run = await looping(model).complete(OPENING)
    assert (run.text, run.iterations, run.ended) == ("Green tea.", 1, "answered")
    assert run.tools == ()
    [prompt] = model.prompts
    assert prompt.turns == OPENING
    assert [each.name for each in prompt.tools] == ["echo"]


async def test_calls_are_carried_out_in_order_and_answered():
    tool = EchoTool()
    said = calls(("echo", {"text": "one"}), ("echo", {"text": "two", "times": 2}))
    model = ScriptedModel(said, "Both.")
    run = await looping(model, tool).complete(OPENING)
    assert run.text == "Both."
    assert [each.text for each in tool.given] == ["one", "two"]
    *_, asked, first, second = model.prompts[1].turns
    assert asked.calls == said.calls
    assert (first.role, first.content, first.call) == ("tool", "one", "call-0")
    assert (second.content, second.call) == ("twotwo", "call-1")
    assert [(each.tool, each.iteration, each.ids) for each in run.tools] == [
        ("echo", 1, ("id-1",)),
        ("echo", 1, ("id-1",)),
    ]
    assert run.usage == Usage(input=20, output=10, calls=2)
    assert run.call.latency_ms == 2.0
    assert run.call.attempts == 2


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("steal", "{}", "There is no such tool. There are: echo."),
        ("echo", "{nonsense", "The arguments are not valid JSON."),
        ("echo", "[1]", "The arguments are not a JSON object."),
        ("echo", "[" * 15_000, "The arguments are not valid JSON."),
        ("echo", '{"text": "' + "x" * 20_000 + '"}', "longer than 20,000 characters"),
        ("echo", "{}", "The argument text is missing."),
        ("echo", '{"text": 7}', "The arguments do not fit"),
        ("echo", '{"text": "fail"}', "That cannot be said."),
    ],
)
async def test_what_is_wrong_with_a_call_is_told_to_the_model(name, arguments, answer):
    model = ScriptedModel(calls((name, arguments)), "Sorry.")
    run = await looping(model).complete(OPENING)
    assert answer in model.prompts[1].turns[-1].content
    assert [each.error for each in run.tools] == [True]
    # What goes back to the provider is JSON again.
    [sent] = model.prompts[1].turns[-2].calls
    assert isinstance(json.loads(sent.arguments), dict)


async def test_numbers_fall_back_to_their_default_and_stay_within_limits():
    tool = EchoTool()
    given = [{"text": "a", "times": wrong} for wrong in ("many", 99, -5, "2", None)]
    model = ScriptedModel(calls(*[("echo", each) for each in given]), "So.")
    await looping(model, tool).complete(OPENING)
    assert [each.times for each in tool.given] == [1, 3, 1, 2, 1]


async def test_a_required_tool_is_required_once():
    model = ScriptedModel(calls(("echo", {"text": "a"})), "So.")
    await looping(model, tool_choice="required").complete(OPENING)
    assert [each.tool_choice for each in model.prompts] == ["required", "auto"]


async def test_after_the_last_iteration_the_answer_comes_without_tools():
    more = calls(("echo", {"text": "more"}))
    model = ScriptedModel(more, more, more, "What I found.")
    run = await looping(model).complete(OPENING)
    assert (run.text, run.iterations, run.ended) == ("What I found.", 4, "iterations")
    choices = [each.tool_choice for each in model.prompts]
    assert choices == ["auto", "auto", "auto", "none"]
    assert model.prompts[-1].turns[-1] == Turn("user", CONCLUDE)


async def test_a_model_that_calls_for_ever_is_not_followed():
    more = calls(("echo", {"text": "more"}), text="Wait.")
    model = ScriptedModel(otherwise=more)
    run = await looping(model, iterations=100).complete(OPENING)
    assert run.iterations == 101
    assert len(run.tools) == 100
    mute = calls(("echo", {"text": "more"}))
    model = ScriptedModel(mute, mute, "At last.")
    run = await looping(model, iterations=1).complete(OPENING)
    assert run.text == "At last."
    assert model.prompts[-1].tools == ()


async def test_who_looks_up_though_it_may_not_is_asked_without_tools_at_last():
    mute = calls(("echo", {"text": "more"}))
    model = ScriptedModel("", mute, mute, "At last.")
    run = await looping(model, iterations=2).complete(OPENING)
    assert run.text == "At last."
    assert [bool(each.tools) for each in model.prompts] == [True, True, True, False]
    model = ScriptedModel("", otherwise=mute)
    run = await looping(model, iterations=2).complete(OPENING)
    assert (run.text, run.iterations) == ("", 4)


async def test_without_iterations_there_are_no_tools():
    model = ScriptedModel("Tea.")
    run = await looping(model, iterations=0).complete(OPENING)
    assert (run.text, run.ended) == ("Tea.", "answered")
    assert model.prompts[0].tools == ()
    assert model.prompts[0].turns == OPENING


@pytest.mark.parametrize("iterations", [0, 1, 3])
async def test_silence_is_asked_about_once(iterations):
    model = ScriptedModel("  ", "Tea.")
    run = await looping(model, iterations=iterations).complete(OPENING)
    assert run.text == "Tea."
    assert model.prompts[1].turns[-1] == Turn("user", NUDGE)
    model = ScriptedModel(otherwise="")
    run = await looping(model, iterations=iterations).complete(OPENING)
    assert (run.text, run.iterations) == ("", 2)


async def test_a_storm_of_calls_is_answered_but_not_carried_out():
    tool = EchoTool()
    storm = calls(*[("echo", {"text": "a"})] * 500)
    model = ScriptedModel(storm, "So.")
    run = await looping(model, tool, calls_per_turn=4).complete(OPENING)
    assert len(tool.given) == len(run.tools) == 4
    turns = model.prompts[1].turns[2:]
    assert len(turns[0].calls) == len(turns) - 1 == 32
    assert turns[-1].content == "Not carried out: these are too many calls at once."


async def test_a_long_answer_of_a_tool_is_cut_and_says_so():
    model = ScriptedModel(calls(("echo", {"text": "x" * 12_000})), "So.")
    [use] = (await looping(model).complete(OPENING)).tools
    answer = model.prompts[1].turns[-1].content
    assert len(answer) <= 10_000
    assert "[cut here: 2," in answer
    assert (use.chars, use.shown) == (12_000, len(answer))


async def test_what_does_not_fit_goes_by_units_the_oldest_first():
    texts = [letter * 300 for letter in "abcd"]
    model = ScriptedModel(*[calls(("echo", {"text": each})) for each in texts], "So.")
    loop = looping(
        model, tokens=Characters(), iterations=9, max_input=1_800, max_total=10**6
    )
    await loop.complete(OPENING)
    last = model.prompts[-1]
    assert last.turns[:2] == OPENING
    kept = "".join(turn.content[0] for turn in last.turns if turn.role == "tool")
    assert kept in {"d", "cd"}
    for prompt in model.prompts:
        called = [c.id for turn in prompt.turns for c in turn.calls]
        assert called == [turn.call for turn in prompt.turns if turn.role == "tool"]


async def test_a_unit_too_large_by_itself_is_cut():
    huge = ("echo", {"text": "x" * 9_000})
    model = ScriptedModel(calls(huge, huge), "So.")
    loop = looping(
        model, tokens=Characters(), max_input=20_500, max_total=10**6, max_output=10
    )
    await loop.complete(OPENING)
    assert Conversation(model.prompts[1].turns, Characters()).within(0)[1] <= 20_500
    assert "there is no room" in model.prompts[1].turns[-1].content


@pytest.mark.parametrize("counted", [True, False])
async def test_a_run_ends_before_its_tokens_are_spent(counted):
    """Whether or not the provider counts them."""
    tokens = Characters()

    def more(prompt):
        cost = Conversation(prompt.turns, tokens).within(0)[1]
        cost += cost_of(prompt.tools, tokens)
        usage = Usage(input=cost * 13 // 10, output=50) if counted else Usage()
        return calls(("echo", {"text": "x" * 200}), usage=usage)

    model = ScriptedModel(otherwise=more)
    loop = looping(
        model,
        tokens=tokens,
        iterations=50,
        max_input=10**6,
        max_total=12_000,
    )
    run = await loop.complete(OPENING)
    assert run.ended == "budget"
    assert 2 < run.iterations < 20
    assert model.prompts[-1].tool_choice == "none"
    if counted:
        assert run.usage.input + run.usage.output <= 12_000


async def test_each_call_says_what_it_is_for():
    keyed = Purpose(workspace="w", feature="dream.deduction", key="d:7", run="r1")
    model = ScriptedModel(calls(("echo", {"text": "a"})), "So.")
    await looping(model, purpose=keyed).complete(OPENING)
    asked = [each.purpose for each in model.prompts]
    assert [(each.key, each.run, each.step) for each in asked] == [
        ("d:7:1", "r1", 1),
        ("d:7:2", "r1", 2),
    ]
    model = ScriptedModel("So.")
    await looping(model).complete(OPENING)
    assert model.prompts[0].purpose.key == ""


async def test_the_last_answer_is_asked_for_in_its_form():
    schema = JsonSchema("answer", {"type": "object"})
    model = ScriptedModel(calls(("echo", {"text": "a"})), '{"a": 1}')
    run = await looping(model, iterations=1, schema=schema).complete(OPENING)
    assert run.text == '{"a": 1}'
    assert model.schemas == [None, schema]


async def test_pieces_come_as_they_are_said_and_calls_part_them():
    model = ScriptedModel(calls(("echo", {"text": "a"}), text="Let me look."), "It is.")
    steps = [each async for each in looping(model).stream(OPENING)]
    assert [each for each in steps if isinstance(each, str)] == [
        *("Let", " me", " look."),
        *("It", " is."),
    ]
    parted = [type(each) for each in steps]
    assert parted[3] is parted[6] is Completion
    assert isinstance(steps[-1], AgentRun)
    assert steps[-1].text == "It is."


async def test_who_leaves_ends_the_call():
    model = ScriptedModel("One two three.")
    stream = looping(model).stream(OPENING)
    assert await anext(stream) == "One"
    await stream.aclose()
    assert model.closed == 1


async def test_a_model_that_is_away_ends_the_run():
    model = ScriptedModel(calls(("echo", {"text": "a"})), Unavailable("it", 7))
    with pytest.raises(Unavailable):
        await looping(model).complete(OPENING)


async def test_what_only_the_provider_reads_goes_back_unless_its_turn_was_changed():
    block = {"type": "thinking"}
    fine = msgspec.structs.replace(calls(("echo", {"text": "a"})), artefacts=(block,))
    odd = msgspec.structs.replace(calls(("echo", "{")), artefacts=(block,))
    model = ScriptedModel(fine, odd, "So.")
    await looping(model).complete(OPENING)
    turns = [each for each in model.prompts[-1].turns if each.role == "assistant"]
    assert [each.artefacts for each in turns] == [(block,), ()]


async def test_names_no_provider_takes_back_are_not_sent_back():
    odd = Says("", (ToolCall("1", "rm -rf /" + "x" * 100, ""),))
    model = ScriptedModel(odd, "So.")
    await looping(model).complete(OPENING)
    [sent] = model.prompts[1].turns[-2].calls
    assert sent.name.startswith("rm_-rf__")
    assert (len(sent.name), sent.arguments) == (64, "")
