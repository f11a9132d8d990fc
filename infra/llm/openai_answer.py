"""An answer of the OpenAI protocol, read: its text, calls, cost, and why it ended."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal
from uuid import uuid4

from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion

from domain.event import Call
from infra.llm.artefacts import artefact
from infra.llm.foreign import checked, count, own_name, reading
from infra.llm.in_vain import nothing_from
from infra.llm.json_answer import clean, is_object
from processors.language_model import (
    WITHHELD,
    Completion,
    ModelRefused,
    ToolCall,
    Unavailable,
    Usage,
)

Finish = Literal["stop", "length", "tools", "other"]

_FINISHES: Final[Mapping[str, Finish]] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tools",
    "function_call": "tools",
}

REASONING: Final = ("reasoning_details", "reasoning_content")
"""Fields of a turn in which endpoints give thought that they want back."""


def read_completion(
    answered: ChatCompletion, *, who: str, by: str, attempts: int
) -> Completion:
    """Read a whole answer; ``by`` is the transport and model that were asked.

    Raises:
        Unavailable: it is no answer.
        ModelRefused
    """
    asked_for = by.partition("/")[2]
    if not getattr(answered, "choices", None):
        raise Unavailable(who, in_vain=nothing_from(asked_for, attempts))
    with reading(who, asked_for, attempts):
        return _read(answered, who, by, attempts)


def _read(answered: ChatCompletion, who: str, by: str, attempts: int) -> Completion:
    choice, usage = answered.choices[0], usage_of(answered.usage)
    message, model = choice.message, own_name(answered.model, by.partition("/")[2])
    in_vain = nothing_from(model, attempts, usage)
    refuse_if_withheld(who, choice.finish_reason, message.refusal, in_vain)
    asked = message.tool_calls or ()
    calls = [
        made_call(each.id, each.function.name, each.function.arguments)
        for each in asked
        if each.type in (None, "function")
    ]
    extras = [(each.model_extra or {}).get("extra_content") for each in asked]
    return checked(
        Completion(
            text=clean(message.content or ""),
            model=model,
            usage=usage,
            finish=finish_of(choice.finish_reason, calls),
            call=Call(attempts=attempts),
            calls=usable(calls, choice.finish_reason),
            artefacts=given_beside(message.model_extra or {}, calls, extras, by),
        )
    )


def refuse_if_withheld(
    who: str, reason: str | None, refusal: str | None, in_vain: Completion
) -> None:
    """Tell an answer that is withheld from one that is short.

    Raises:
        ModelRefused
    """
    word = (reason or "").rpartition(": ")[2].lower()
    if not refusal and word not in WITHHELD:
        return
    raise ModelRefused(who, word if word in WITHHELD else "content_filter", in_vain)


def made_call(id_: str | None, name: str | None, arguments: str | None) -> ToolCall:
    """Return a call; one that came without an id is given one, to be answered by."""
    return ToolCall(
        clean(id_ or "") or f"call_{uuid4().hex}",
        clean(name or ""),
        clean(arguments or "{}"),
    )


def usable(calls: Sequence[ToolCall], reason: str | None) -> tuple[ToolCall, ...]:
    """Leave out of a cut answer the call it was cut in."""
    if finish_of(reason, ()) != "length":
        return tuple(calls)
    return tuple(each for each in calls if is_object(each.arguments))


def given_beside(
    fields: Mapping[str, Any],
    calls: Iterable[ToolCall],
    extras: Iterable[Any],
    by: str,
) -> tuple[Mapping[str, Any], ...]:
    """Keep what has to go back with a turn that asks for tools; else nothing has to."""
    asked = list(calls)
    if not asked:
        return ()
    thought = {name: fields[name] for name in REASONING if fields.get(name)}
    kept = [artefact(by, thought)] if thought else []
    for call, extra in zip(asked, extras, strict=True):
        if extra:
            kept.append(artefact(by, {"call": call.id, "extra_content": extra}))
    return tuple(kept)


def usage_of(spent: CompletionUsage | None) -> Usage:
    """Read a provider's count; what it does not say is 0 (RS 8.6)."""
    if spent is None:
        return Usage()
    read, thought = spent.prompt_tokens_details, spent.completion_tokens_details
    return Usage(
        input=count(spent.prompt_tokens),
        output=count(spent.completion_tokens),
        cached=count(read.cached_tokens if read else 0),
        reasoning=count(thought.reasoning_tokens if thought else 0),
    )


def finish_of(reason: str | None, calls: Sequence[ToolCall]) -> Finish:
    """Read why an answer ended; some endpoints say ``stop`` where they want a tool."""
    finish = _FINISHES.get((reason or "").lower(), "other")
    return "tools" if calls and finish != "length" else finish
