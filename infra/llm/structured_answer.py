"""A value of a schema from any adapter: asked for, mended, asked for once more."""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from infra.llm.in_vain import after, counting
from infra.llm.json_answer import NotOfSchema, read_answer
from processors.language_model import (
    Completion,
    JsonSchema,
    Malformed,
    Prompt,
    Structured,
    Turn,
)

Ask = Callable[[Prompt], Awaitable[Completion]]


async def ask_for_value(
    who: str, prompt: Prompt, schema: JsonSchema, ask: Ask
) -> Structured:
    """Return a value that fits; ``ask`` brings an answer that should hold one.

    Of the tools that are offered none is used: the value is wanted now.

    Raises:
        Malformed, Unavailable, ModelRefused: each says what it took.
    """
    if prompt.tools:
        prompt = replace(prompt, tool_choice="none")
    first = await ask(prompt)
    try:
        return Structured(_value_of(first, schema), first)
    except NotOfSchema as wrong:
        corrected = _corrected(prompt, first.text, wrong)
    with counting(first):
        again = after(first, await ask(corrected))
    try:
        return Structured(_value_of(again, schema), again)
    except NotOfSchema:
        raise Malformed(who, in_vain=again) from None


def _value_of(completion: Completion, schema: JsonSchema) -> object:
    cut = completion.finish == "length"
    value: object = read_answer(completion.text, schema.schema, cut=cut)
    return value


def _corrected(prompt: Prompt, answer: str, wrong: NotOfSchema) -> Prompt:
    asked = (
        f"That answer does not fit the JSON Schema: {wrong}\n"
        "Give the whole answer again as one JSON object that fits, and nothing else."
    )
    said = Turn("assistant", answer or "(nothing)")
    return replace(prompt, turns=(*prompt.turns, said, Turn("user", asked)))
