"""An answer in the form that was asked for, mended once if it is not (RS 7.7, 8.5).

NotOfForm   a text is no JSON value of a schema
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from processors.agent_loop import AgentRun
from processors.language_model import (
    JsonSchema,
    LanguageModel,
    Prompt,
    Purpose,
    Turn,
)
from processors.prompts.agent_turns import reform


class NotOfForm(Exception):  # noqa: N818  says what it is
    """A text does not fit. ``str()`` tells the model why and may hold content."""


class ReadForm(Protocol):
    """Reads the value of a schema out of a model's answer."""

    def __call__(self, text: str, schema: Mapping[str, Any], /) -> Any:
        """Return it, also from within fences or prose.

        Raises:
            NotOfForm
        """
        ...


class Formed(msgspec.Struct, frozen=True):
    """An answer in its form, with what it took in all, and whether it was mended."""

    value: Any
    run: AgentRun
    repaired: bool


async def form_answer(
    model: LanguageModel,
    read: ReadForm,
    schema: JsonSchema,
    opening: Sequence[Turn],
    asked: tuple[AgentRun, Purpose, int],
) -> Formed:
    """Return what a run answered as a value of the schema, asking again if need be.

    ``asked`` are the run, what it was for, and most tokens of an answer.

    Raises:
        Malformed, Unavailable, ModelRefused: as the model does.
    """
    run, purpose, most = asked
    try:
        return Formed(read(run.text, schema.schema), run, repaired=False)
    except NotOfForm as wrong:
        again = (Turn("assistant", run.text or "…"), reform(str(wrong)))
    prompt = Prompt(
        turns=(*opening, *again),
        max_tokens=most,
        purpose=msgspec.structs.replace(purpose, step=run.iterations + 1),
    )
    structured = await model.structured(prompt, schema)
    completion = structured.completion
    run = msgspec.structs.replace(
        run,
        text=completion.text,
        iterations=run.iterations + 1,
        usage=run.usage + completion.usage,
        call=run.call + completion.call,
        model=completion.model,
        finish=completion.finish,
    )
    return Formed(structured.value, run, repaired=True)
