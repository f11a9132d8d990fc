"""Tools over the OpenAI protocol: offered, asked for, answered, whole and streamed."""

import json

import pytest

from processors.language_model import Prompt, ToolOffer, Turn
from tests.support.openai_stub import Answer

TEA = ToolOffer(
    "find_tea",
    "Find a tea.",
    {"type": "object", "properties": {"kind": {"type": "string"}}},
)
ASKED = Prompt(turns=(Turn("user", "Which tea?"),), max_tokens=100, tools=(TEA,))
WANTED = Answer("Let me look.", calls=(("find_tea", {"kind": "green"}),))


async def last_of(stream):
    *pieces, whole = [each async for each in stream]
    return pieces, whole


async def test_tools_are_offered_and_asked_for(model, stub):
    stub.script(WANTED)
    completion = await model.complete(ASKED)
    assert (completion.text, completion.finish) == ("Let me look.", "tools")
    [call] = completion.calls
    assert (call.name, json.loads(call.arguments)) == ("find_tea", {"kind": "green"})
    body = stub.chats[0].body
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "find_tea",
                "description": "Find a tea.",
                "parameters": dict(TEA.parameters),
            },
        }
    ]
    assert "tool_choice" not in body


@pytest.mark.parametrize("choice", ["none", "required"])
async def test_a_choice_of_tools_is_said(model, stub, choice):
    await model.complete(Prompt(turns=ASKED.turns, max_tokens=9, tool_choice=choice))
    await model.complete(
        Prompt(turns=ASKED.turns, max_tokens=9, tools=(TEA,), tool_choice=choice)
    )
    assert [call.body.get("tool_choice") for call in stub.chats] == [None, choice]


async def test_what_a_tool_answered_goes_back(model, stub):
    stub.script(WANTED, "Sencha.")
    first = await model.complete(ASKED)
    answers = Turn("tool", "sencha, 3 g", call=first.calls[0].id)
    turns = (*ASKED.turns, first.turn, answers)
    again = await model.complete(Prompt(turns=turns, max_tokens=100, tools=(TEA,)))
    assert (again.text, again.finish, again.calls) == ("Sencha.", "stop", ())
    _, assistant, tool = stub.chats[1].body["messages"]
    assert assistant["content"] == "Let me look."
    [sent] = assistant["tool_calls"]
    assert sent["id"] == tool["tool_call_id"] == first.calls[0].id
    assert tool == {
        "role": "tool",
        "tool_call_id": sent["id"],
        "content": "sencha, 3 g",
    }


async def test_a_stream_passes_text_on_and_ends_with_the_calls(model, stub):
    two = (("find_tea", {"kind": "green"}), ("find_tea", {"kind": "black"}))
    stub.script(Answer("Let me look.", calls=two))
    pieces, whole = await last_of(model.stream(ASKED))
    assert pieces == ["Let", " me", " look."]
    assert (whole.text, whole.finish) == ("Let me look.", "tools")
    assert [json.loads(each.arguments)["kind"] for each in whole.calls] == [
        "green",
        "black",
    ]
    assert len({each.id for each in whole.calls}) == 2


async def test_of_a_cut_answer_the_call_it_was_cut_in_is_left_out(model, stub):
    cut = Answer(calls=(("find_tea", {}), ("find_tea", '{"ki')), finish="length")
    stub.script(cut, cut)
    for completion in (
        await model.complete(ASKED),
        (await last_of(model.stream(ASKED)))[1],
    ):
        assert completion.finish == "length"
        assert [each.arguments for each in completion.calls] == ["{}"]


async def test_arguments_that_are_no_json_are_told_and_never_sent_again(model, stub):
    stub.script(Answer(calls=(("find_tea", "green!"),)))
    first = await model.complete(ASKED)
    assert first.calls[0].arguments == "green!"
    answers = Turn("tool", "not JSON", call=first.calls[0].id)
    await model.complete(
        Prompt(turns=(*ASKED.turns, first.turn, answers), max_tokens=9, tools=(TEA,))
    )
    [sent] = stub.chats[1].body["messages"][1]["tool_calls"]
    assert sent["function"]["arguments"] == "{}"


@pytest.mark.parametrize("stream", [True, False])
async def test_endpoints_that_name_no_ids_and_end_with_stop_are_understood(
    model, stub, stream
):
    call = {"index": 0, "function": {"name": "find_tea", "arguments": "{}"}}
    if stream:
        part = {"choices": [{"delta": {"tool_calls": [call]}, "finish_reason": "stop"}]}
        stub.script(Answer(body=f"data: {json.dumps(part)}\n\n".encode()))
        _, whole = await last_of(model.stream(ASKED))
    else:
        message = {"content": None, "tool_calls": [call]}
        body = {"choices": [{"message": message, "finish_reason": "stop"}]}
        stub.script(Answer(body=json.dumps(body).encode()))
        whole = await model.complete(ASKED)
    assert whole.finish == "tools"
    assert whole.calls[0].id.startswith("call_")


@pytest.mark.parametrize("stream", [True, False])
async def test_thought_goes_back_to_the_model_it_is_from_alone(
    model, model_of, stub, stream
):
    function = {"name": "find_tea", "arguments": "{}"}
    call = {"index": 0, "id": "c1", "function": function, "extra_content": {"s": 1}}
    said = {"tool_calls": [call]}
    thought = {"index": 0, "type": "reasoning.text"}
    if stream:
        parts = [
            {"reasoning_details": [thought | {"text": "Te"}]},
            {"reasoning_details": [thought | {"text": "a.", "signature": "x"}]},
            said,
        ]
        events = [{"choices": [{"delta": part}]} for part in parts]
        events.append({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
        sent = "".join(f"data: {json.dumps(each)}\n\n" for each in events)
        stub.script(Answer(body=sent.encode()))
        _, first = await last_of(model.stream(ASKED))
    else:
        details = [thought | {"text": "Tea.", "signature": "x"}]
        message = {"content": "", "reasoning_details": details, **said}
        stub.script(
            Answer(body=json.dumps({"choices": [{"message": message}]}).encode())
        )
        first = await model.complete(ASKED)
    turns = (*ASKED.turns, first.turn, Turn("tool", "sencha", call="c1"))
    again = Prompt(turns=turns, max_tokens=9, tools=(TEA,))
    await model.complete(again)
    await model_of(model="another").complete(again)
    back, other = (call.body["messages"][1] for call in stub.chats[1:])
    assert back["reasoning_details"] == [thought | {"text": "Tea.", "signature": "x"}]
    assert back["tool_calls"][0]["extra_content"] == {"s": 1}
    assert "reasoning_details" not in other
    assert "extra_content" not in other["tool_calls"][0]
