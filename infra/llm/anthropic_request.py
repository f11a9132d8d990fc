"""What a prompt is over Anthropic's protocol: blocks, tools, thought (RS 8.1, 8.3)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from infra.llm.artefacts import own_artefacts
from infra.llm.openai_request import readable_arguments
from infra.settings.model_choice import CachePolicy, ModelChoice
from processors.language_model import Prompt, ToolOffer, Turn

_LEAST_BUDGET: Final = 1_024
"""Tokens of thought below which Anthropic refuses (RS 8.1)."""

_LONG_CACHE: Final = 3_600

_EFFORTS: Final = {"minimal": "low"}
"""What Anthropic calls otherwise; the rest it calls as we do."""

_CHOICES: Final = {"none": "none", "required": "any"}

_SILENCE: Final = "(nothing)"
"""Stands where nothing was said: an empty text is refused."""


def anthropic_request(choice: ModelChoice, prompt: Prompt) -> dict[str, Any]:
    """Return the body of a request for a prompt."""
    by = f"{choice.transport}/{choice.model}"
    most = min(prompt.max_tokens, choice.max_output_tokens or prompt.max_tokens)
    leading, turns = _parted(prompt.turns)
    asked: dict[str, Any] = {
        "model": choice.model,
        "max_tokens": most,
        "system": _system(leading, choice.cache_policy) or None,
        "messages": _messages(turns, by),
        "stop_sequences": choice.stop_sequences,
        "tools": [tool_of(each) for each in prompt.tools] or None,
        **_thought(choice, most),
    }
    if asked.get("thinking", {}).get("type") == "enabled" and _lacks_thought(turns, by):
        del asked["thinking"]
    thinks = is_thinking(asked)
    if prompt.tools and prompt.tool_choice != "auto":
        forced = prompt.tool_choice == "required" and thinks
        kind = "auto" if forced else _CHOICES[prompt.tool_choice]
        asked["tool_choice"] = {"type": kind}
    return {name: value for name, value in asked.items() if value is not None}


def is_thinking(request: Mapping[str, Any]) -> bool:
    """Tell whether the model thinks first: it takes no sampling, no forced tool."""
    thinking = request.get("thinking")
    return thinking is not None and thinking["type"] != "disabled"


def sampling_of(choice: ModelChoice, prompt: Prompt) -> dict[str, Any]:
    """Return a temperature, at most 1, or a share; and of how many to choose.

    The SDK has no names for them: only older models take them, and not both.
    """
    warm = choice.temperature if prompt.temperature is None else prompt.temperature
    sampling = {
        "temperature": None if warm is None else min(warm, 1.0),
        "top_p": choice.top_p if warm is None else None,
        "top_k": choice.top_k,
    }
    return {name: value for name, value in sampling.items() if value is not None}


def tool_of(offer: ToolOffer) -> dict[str, Any]:
    """Return a tool as it is offered."""
    return {
        "name": offer.name,
        "description": offer.description,
        "input_schema": dict(offer.parameters),
    }


def _thought(choice: ModelChoice, most: int) -> dict[str, Any]:
    """Return how the model shall think: within a budget, or as hard as it is told."""
    effort, budget = choice.thinking_effort, choice.thinking_budget_tokens
    if effort == "none" or budget == 0:
        return {"thinking": {"type": "disabled"}}
    if budget is not None:
        within = min(budget, most - 1)
        if within < _LEAST_BUDGET:
            return {}
        return {"thinking": {"type": "enabled", "budget_tokens": within}}
    if effort is None:
        return {}
    harder = _EFFORTS.get(effort, effort)
    return {"thinking": {"type": "adaptive"}, "output_config": {"effort": harder}}


def _lacks_thought(turns: Sequence[Turn], by: str) -> bool:
    """Tell whether tools are being used by a turn whose thought is not at hand.

    Another model's turn has none for this one, and one from the journal none at all;
    within a budget Anthropic refuses to go on from such a turn, unless it need not
    think.
    """
    for turn in reversed(turns):
        if turn.role == "user":
            return False
        if turn.calls and not any(own_artefacts(turn, by)):
            return True
    return False


def _parted(turns: Iterable[Turn]) -> tuple[list[Turn], list[Turn]]:
    """Part what the system says first from the conversation."""
    rest = list(turns)
    leading: list[Turn] = []
    while rest and rest[0].role == "system":
        leading.append(rest.pop(0))
    return leading, rest


def _system(turns: Iterable[Turn], policy: CachePolicy) -> list[dict[str, Any]]:
    """Return the system's blocks, kept for the next prompt up to the last of them."""
    blocks: list[dict[str, Any]] = [
        {"type": "text", "text": each.content} for each in turns if each.content.strip()
    ]
    if blocks and policy.mode != "none":
        kept = {"type": "ephemeral"}
        if policy.ttl_seconds >= _LONG_CACHE:
            kept["ttl"] = "1h"
        blocks[-1]["cache_control"] = kept
    return blocks


def _messages(turns: Iterable[Turn], by: str) -> list[dict[str, Any]]:
    """Return the conversation: a person begins, and what one side says is one."""
    messages: list[dict[str, Any]] = []
    for turn in turns:
        role = "assistant" if turn.role == "assistant" else "user"
        if not messages and role == "assistant":
            messages.append({"role": "user", "content": [_text(_SILENCE)]})
        if not messages or messages[-1]["role"] != role:
            messages.append({"role": role, "content": []})
        messages[-1]["content"] += _blocks(turn, by)
    return messages or [{"role": "user", "content": [_text(_SILENCE)]}]


def _blocks(turn: Turn, by: str) -> list[dict[str, Any]]:
    if turn.role == "tool":
        answer = {"type": "tool_result", "tool_use_id": turn.call or ""}
        return [answer | {"content": turn.content or _SILENCE}]
    if turn.calls:
        for given in own_artefacts(turn, by):
            return [dict(block) for block in given["blocks"]]
    said = [_text(turn.content)] if turn.content.strip() else []
    calls = [
        {
            "type": "tool_use",
            "id": call.id,
            "name": call.name,
            "input": json.loads(readable_arguments(call)),
        }
        for call in turn.calls
    ]
    return [*said, *calls] or [_text(_SILENCE)]


def _text(content: str) -> dict[str, Any]:
    return {"type": "text", "text": content}
