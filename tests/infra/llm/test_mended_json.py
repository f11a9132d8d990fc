"""JSON that is not quite: mended where it can be told what was meant (RS 8.5)."""

import pytest

from infra.llm.json_answer import NotOfSchema, read_answer
from infra.llm.mended_json import mend_json
from processors.language_model import Malformed
from tests.infra.llm.test_openai_model import ASKED, SCHEMA
from tests.support.openai_stub import Answer

FACTS = {
    "type": "object",
    "properties": {"facts": {"type": "array", "items": {"required": ["text"]}}},
    "required": ["facts"],
}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("{'drink': 'tea'}", {"drink": "tea"}),
        ('{"drink": "tea",}', {"drink": "tea"}),
        ('{"drink": "tea"', {"drink": "tea"}),
        ('Here: {"drink": "tea" "size": 1} Enjoy!', {"drink": "tea", "size": 1}),
        ('```json\n{"drink": tea}\n```', {"drink": "tea"}),
    ],
)
def test_what_is_nearly_json_is_mended(text, meant):
    assert mend_json(text, cut=False) == meant


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ('{"facts": [{"text": "a"}, {"text": "b"}, {"text": "c', ["a", "b"]),
        ('{"facts": [{"text": "a"}, {"text": "b", "evidence": [1, 2', ["a"]),
        ('{"facts": [{"text": "a"}, ', ["a"]),
        ('{"facts": [{"text": "[a, {b}\\""}, {"te', ['[a, {b}"']),
    ],
)
def test_of_a_cut_list_the_whole_items_are_kept(text, whole):
    value = read_answer(text, FACTS, cut=True)
    assert [each["text"] for each in value["facts"]] == whole


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        '{"facts": [',
        '{"facts": [{"text": "a',
        '{"facts": [],',
        '{"drink": "te',
        "{",
        "Tea.",
        "[]",
        "",
        '{"a":' * 100_000,
    ],
)
def test_what_was_meant_is_never_made_up(text, cut):
    with pytest.raises(ValueError, match=r"."):
        mend_json(text, cut=cut)


def test_a_cut_answer_is_asked_to_be_shorter():
    with pytest.raises(NotOfSchema, match="cut off"):
        read_answer('{"facts": [', FACTS, cut=True)


async def test_mending_saves_a_call(model, stub):
    stub.script("{'drink': 'tea'}")
    structured = await model.structured(ASKED, SCHEMA)
    assert structured.value == {"drink": "tea"}
    assert len(stub.chats) == 1


async def test_what_was_cut_twice_is_no_answer_and_says_what_it_took(model, stub):
    cut = Answer('{"drink": "te', finish="length")
    stub.script(cut, cut)
    with pytest.raises(Malformed) as raised:
        await model.structured(ASKED, SCHEMA)
    took = raised.value.in_vain
    assert (took.usage.calls, took.call.attempts) == (2, 2)
    assert took.usage.output > 0
    assert "be shorter" in stub.chats[1].body["messages"][-1]["content"]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN"])
def test_a_number_nothing_can_hold_is_no_value(number):
    """What is journalled must be read again as it was."""
    with pytest.raises(NotOfSchema, match="number"):
        read_answer(f'{{"n": {number}}}', {"type": "object"})
