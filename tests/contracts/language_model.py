"""What every adapter of ``processors.language_model.LanguageModel`` must do.

Subclass it and give the fixtures: ``stub``, a scripted server of the adapter's
protocol; ``model``, the adapter, which tries three times without waiting and waits
``PATIENCE`` for a piece; ``valued``, which makes an answer that gives a value as this
protocol has it.
"""

import asyncio
import json
import logging

import pytest
from msgspec.structs import replace

from infra.llm.patience import Patience
from processors.language_model import (
    Completion,
    JsonSchema,
    Malformed,
    ModelRefused,
    Prompt,
    ToolOffer,
    Turn,
    Unavailable,
)
from tests.support.stub_replies import Answer

PATIENCE = Patience(shortest=0, first=2, silence=2, whole=20)

ASKED = Prompt(
    turns=(Turn("system", "Be brief."), Turn("user", "Tea or coffee?")), max_tokens=100
)
TEA = ToolOffer(
    "find_tea",
    "Find a tea.",
    {"type": "object", "properties": {"kind": {"type": "string"}}},
)
DRINKS = JsonSchema(
    "drinks",
    {
        "type": "object",
        "properties": {"drinks": {"type": "array", "items": {"type": "string"}}},
        "required": ["drinks"],
        "additionalProperties": False,
    },
)
WANTED = Answer("Let me look.", calls=(("find_tea", {"kind": "green"}),))


async def streamed(model, prompt=ASKED, schema=None):
    """Everything a stream yields: its pieces, and the whole."""
    *pieces, whole = [each async for each in model.stream(prompt, schema)]
    return pieces, whole


async def failure(awaitable):
    with pytest.raises((Unavailable, ModelRefused)) as raised:
        await awaitable
    return raised.value


def always(answer):
    return lambda _: answer


class LanguageModelContract:
    async def test_an_answer_has_its_text_and_what_it_took(self, model, stub):
        stub.script("Green tea.")
        completion = await model.complete(ASKED)
        assert (completion.text, completion.finish) == ("Green tea.", "stop")
        assert completion.model == model.model
        assert (completion.usage.input, completion.usage.output) == (5, 2)
        assert (completion.usage.calls, completion.call.attempts) == (1, 1)
        assert completion.calls == ()

    async def test_an_answer_cut_short_says_so(self, model, stub):
        stub.script(*[Answer("Green", finish="length")] * 2)
        assert (await model.complete(ASKED)).finish == "length"
        assert (await streamed(model))[1].finish == "length"

    async def test_a_stream_is_its_pieces_and_then_the_whole(self, model, stub):
        stub.script("Green tea, please.")
        pieces, whole = await streamed(model)
        assert pieces == ["Green", " tea,", " please."]
        assert isinstance(whole, Completion)
        assert (whole.text, whole.finish) == ("Green tea, please.", "stop")
        assert (whole.usage.input, whole.usage.output) == (5, 3)

    async def test_tools_are_asked_for_and_what_they_answer_goes_back(
        self, model, stub
    ):
        stub.script(WANTED, "Sencha.")
        prompt = replace(ASKED, tools=(TEA,))
        first = await model.complete(prompt)
        assert (first.text, first.finish) == ("Let me look.", "tools")
        [call] = first.calls
        assert (call.name, json.loads(call.arguments)) == (
            "find_tea",
            {"kind": "green"},
        )
        found = Turn("tool", "sencha, 3 g", call=call.id)
        turns = (*ASKED.turns, first.turn, found)
        again = await model.complete(replace(prompt, turns=turns))
        assert (again.text, again.calls) == ("Sencha.", ())
        assert call.id in json.dumps(stub.chats[-1].body["messages"][-1])
        assert "sencha, 3 g" in stub.chats[-1].text

    async def test_several_calls_come_at_the_end_of_a_stream(self, model, stub):
        two = (("find_tea", {"kind": "green"}), ("find_tea", {}))
        stub.script(Answer("Let me look.", calls=two))
        pieces, whole = await streamed(model, replace(ASKED, tools=(TEA,)))
        assert "".join(pieces) == whole.text == "Let me look."
        assert whole.finish == "tools"
        assert [json.loads(each.arguments) for each in whole.calls] == [
            {"kind": "green"},
            {},
        ]
        assert len({each.id for each in whole.calls}) == 2

    @pytest.mark.parametrize("choice", ["none", "required"])
    async def test_it_is_told_whether_to_use_a_tool(self, model, stub, choice):
        prompt = replace(ASKED, tools=(TEA,), tool_choice=choice)
        await model.complete(prompt)
        said = stub.chats[0].body["tool_choice"]
        assert said in ({"type": {"required": "any"}.get(choice, choice)}, choice)

    async def test_a_value_fits_its_schema(self, model, stub, valued):
        stub.script(valued({"drinks": ["tea"]}))
        structured = await model.structured(ASKED, DRINKS)
        assert structured.value == {"drinks": ["tea"]}
        assert json.loads(structured.completion.text) == structured.value
        assert (structured.completion.finish, structured.completion.calls) == (
            "stop",
            (),
        )

    async def test_a_value_may_be_wanted_after_tools_were_used(
        self, model, stub, valued
    ):
        stub.script(WANTED, valued({"drinks": ["sencha"]}))
        prompt = replace(ASKED, tools=(TEA,))
        first = await model.complete(prompt)
        found = Turn("tool", "sencha", call=first.calls[0].id)
        prompt = replace(prompt, turns=(*ASKED.turns, first.turn, found))
        assert (await model.structured(prompt, DRINKS)).value == {"drinks": ["sencha"]}

    @pytest.mark.parametrize(
        "wrong", ['{"drinks": "tea"}', '{"drinks": ["te', '{"drinks": [', "Tea."]
    )
    async def test_what_does_not_fit_is_asked_for_once_more(
        self, model, stub, valued, wrong
    ):
        stub.script(wrong, valued({"drinks": ["tea"]}))
        structured = await model.structured(ASKED, DRINKS)
        assert structured.value == {"drinks": ["tea"]}
        assert structured.completion.usage.calls == 2
        assert structured.completion.call.attempts == 2
        assert wrong in stub.chats[1].text

    async def test_what_never_fits_is_no_answer_and_was_paid(self, model, stub):
        stub.otherwise = always("Tea.")
        raised = await failure(model.structured(ASKED, DRINKS))
        assert type(raised) is Malformed
        assert raised.in_vain.usage.calls == len(stub.chats) >= 2
        assert raised.in_vain.usage.output > 0

    async def test_of_a_cut_list_the_whole_items_are_kept(self, model, stub):
        stub.script(Answer('{"drinks": ["tea", "coff', finish="length"))
        assert (await model.structured(ASKED, DRINKS)).value == {"drinks": ["tea"]}
        assert len(stub.chats) == 1

    async def test_a_stream_may_be_of_a_schema(self, model, stub, valued):
        stub.script(valued({"drinks": ["tea"]}))
        pieces, whole = await streamed(model, schema=DRINKS)
        assert json.loads("".join(pieces)) == {"drinks": ["tea"]}
        assert json.loads(whole.text) == {"drinks": ["tea"]}

    @pytest.mark.parametrize("status", [429, 500, 503, 529])
    async def test_what_passes_is_tried_again(self, model, stub, status):
        passing = Answer(status=status, retry_after="0")
        stub.script(passing, "Tea.", passing, "Tea.")
        assert (await model.complete(ASKED)).call.attempts == 2
        assert (await streamed(model))[1].call.attempts == 2

    async def test_three_times_is_enough(self, model, stub):
        stub.otherwise = always(Answer(status=500))
        raised = await failure(model.complete(ASKED))
        assert type(raised) is Unavailable
        assert raised.in_vain.call.attempts == len(stub.chats) == 3
        raised = await failure(streamed(model))
        assert raised.in_vain.call.attempts == 3

    async def test_a_provider_that_wants_long_peace_gets_it(self, model, stub):
        stub.otherwise = always(Answer(status=429, retry_after="120"))
        assert (await failure(model.complete(ASKED))).retry_after == 120
        assert len(stub.chats) < 3

    @pytest.mark.parametrize("status", [401, 403, 404])
    async def test_what_a_person_must_mend_may_pass(self, model, stub, status):
        stub.otherwise = always(Answer(status=status))
        raised = await failure(model.complete(ASKED))
        assert (type(raised), raised.retry_after) == (Unavailable, 300)
        assert len(stub.chats) < 3

    @pytest.mark.parametrize(
        "message",
        ["Your credit balance is too low.", "API key not valid. Please pass a valid…"],
    )
    async def test_an_account_that_is_wrong_is_not_the_questions_fault(
        self, model, stub, message
    ):
        stub.otherwise = always(Answer(status=400, message=message))
        raised = await failure(model.complete(ASKED))
        assert (type(raised), raised.retry_after) == (Unavailable, 300)

    async def test_what_is_wrong_with_a_question_never_passes(self, model, stub):
        stub.otherwise = always(Answer(status=400))
        assert type(await failure(model.complete(ASKED))) is ModelRefused
        assert type(await failure(streamed(model))) is ModelRefused

    async def test_a_withheld_answer_is_a_refusal(self, model, stub):
        stub.otherwise = always(Answer("half", finish="content_filter"))
        raised = await failure(model.complete(ASKED))
        assert raised.withheld
        assert raised.in_vain.usage.input > 0
        stub.otherwise = always(Answer(finish="content_filter"))
        assert (await failure(streamed(model))).withheld

    @pytest.mark.parametrize("body", [b'{"half', b"[]", b"null", b"{}", b""])
    async def test_nonsense_is_no_answer(self, model, stub, body):
        stub.otherwise = always(Answer(body=body))
        assert type(await failure(model.complete(ASKED))) is Unavailable

    async def test_a_slow_first_byte_is_waited_for(self, model, stub):
        stub.script(*[Answer("Tea.", delay=0.5)] * 2)
        assert (await model.complete(ASKED)).call.attempts == 1
        assert (await streamed(model))[1].call.attempts == 1

    @pytest.mark.parametrize(
        "breaks",
        [
            {"broken_after": 2},
            {"broken_after": 2, "clean": True},
            {"held_after": 2},
            {"error": "overloaded_error"},
        ],
    )
    async def test_a_stream_that_breaks_off_is_no_answer(self, model, stub, breaks):
        stub.script("All well.", Answer("a b", **breaks) if "error" in breaks else "")
        if "error" not in breaks:
            stub.lined_up[-1] = Answer("a b c d", **breaks)
        await streamed(model)
        stream = model.stream(ASKED)
        assert [await anext(stream), await anext(stream)] == ["a", " b"]
        raised = await failure(anext(stream))
        assert type(raised) is Unavailable
        assert raised.in_vain.call.attempts == 1
        assert len(stub.chats) == 2

    async def test_leaving_a_stream_ends_the_call(self, model, stub):
        stub.script(Answer("a b c", held_after=1))
        stream = model.stream(ASKED)
        assert await anext(stream) == "a"
        await stream.aclose()
        assert await asyncio.to_thread(stub.chats[0].left.wait, 5)

    async def test_who_goes_away_ends_the_call(self, model, stub):
        stub.script(Answer(stall=True))
        asking = asyncio.create_task(model.complete(ASKED))
        await asyncio.to_thread(stub.asked.wait, 5)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert asking.cancelled()
        assert await asyncio.to_thread(stub.chats[0].left.wait, 5)

    async def test_what_no_text_can_hold_is_taken_out(self, model, stub):
        stub.script(*["A\x00 \ud800."] * 2)
        assert (await model.complete(ASKED)).text == "A ?."
        pieces, whole = await streamed(model)
        assert "".join(pieces) == whole.text == "A ?."

    async def test_what_is_said_never_reaches_a_log(self, model, stub, caplog):
        caplog.set_level(logging.DEBUG)
        stub.script("A secret answer.", Answer(status=400))
        stub.otherwise = always(Answer(status=400))
        await model.complete(ASKED)
        raised = await failure(model.complete(ASKED))
        for said in ("Tea or", "secret", "scripted"):
            assert said not in caplog.text
            assert said not in str(raised)
