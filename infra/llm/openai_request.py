"""What a prompt is over the OpenAI protocol: turns, tools, parameters (RS 8.1, 8.3)."""

import re
from collections.abc import Mapping
from typing import Any, Final

from infra.llm.artefacts import own_artefacts
from infra.llm.endpoint import USUAL, Endpoint
from infra.llm.json_answer import is_object
from infra.settings.model_choice import ModelChoice
from processors.language_model import Prompt, ToolCall, ToolOffer, Turn

_REASONING_CLASS: Final = re.compile(r"(.*/)?(gpt-[5-9]|o[1-9])")
"""Models that think first: they take ``max_completion_tokens``, no temperature."""


def openai_request(
    choice: ModelChoice, prompt: Prompt, body: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the body of a request for a prompt; ``body`` is added to it as it is."""
    thinks = _REASONING_CLASS.match(choice.model) is not None
    most = min(prompt.max_tokens, choice.max_output_tokens or prompt.max_tokens)
    temperature = (
        choice.temperature if prompt.temperature is None else prompt.temperature
    )
    by = f"{choice.transport}/{choice.model}"
    asked: dict[str, Any] = {
        "model": choice.model,
        "messages": [_message(turn, by) for turn in prompt.turns],
        "max_completion_tokens" if thinks else "max_tokens": most,
        "temperature": None if thinks else temperature,
        "top_p": None if thinks else choice.top_p,
        "frequency_penalty": choice.frequency_penalty,
        "presence_penalty": choice.presence_penalty,
        "seed": choice.seed,
        "stop": choice.stop_sequences,
        "reasoning_effort": choice.thinking_effort,
        "prompt_cache_key": _cache_key(choice),
        "tools": [_tool(each) for each in prompt.tools] or None,
        "tool_choice": _tool_choice(prompt),
        "extra_body": dict(body) or None,
    }
    return {name: value for name, value in asked.items() if value is not None}


def openai_body(choice: ModelChoice, endpoint: Endpoint) -> dict[str, Any]:
    """Return what the protocol has no name for, where an endpoint understands it.

    What is set for the endpoint itself goes before.
    """
    body: dict[str, Any] = {}
    own = endpoint.base_url != USUAL["openai"]
    if choice.transport == "openai" and own and choice.top_k is not None:
        body["top_k"] = choice.top_k
    budget = choice.thinking_budget_tokens
    if choice.transport == "gemini" and budget is not None:
        thinking = {"thinking_config": {"thinking_budget": budget}}
        body["extra_body"] = {"google": thinking}
    return body | endpoint.body


def _cache_key(choice: ModelChoice) -> str | None:
    """Keep prompts of one key together; nobody but OpenAI wants to be told."""
    policy = choice.cache_policy
    keeps = choice.transport == "openai" and policy.mode != "none"
    return policy.key_version if keeps else None


def _tool_choice(prompt: Prompt) -> str | None:
    """Say it only where it is not what every endpoint does unasked."""
    return prompt.tool_choice if prompt.tools and prompt.tool_choice != "auto" else None


def _tool(offer: ToolOffer) -> dict[str, Any]:
    function = {
        "name": offer.name,
        "description": offer.description,
        "parameters": dict(offer.parameters),
    }
    return {"type": "function", "function": function}


def _message(turn: Turn, by: str) -> dict[str, Any]:
    if turn.role == "tool":
        return {
            "role": "tool",
            "tool_call_id": turn.call or "",
            "content": turn.content,
        }
    message: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.calls:
        message["content"] = turn.content or None
        message["tool_calls"] = [_call(each) for each in turn.calls]
        for given in own_artefacts(turn, by):
            _give_back(message, given)
    return message


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": readable_arguments(call)}
    return {"id": call.id, "type": "function", "function": function}


def readable_arguments(call: ToolCall) -> str:
    """Return a call's arguments, or none if they are no object: servers parse them."""
    return call.arguments if is_object(call.arguments) else "{}"


def _give_back(message: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Put what came beside a turn, or beside one of its calls, where it was."""
    of_call = given.get("call")
    if of_call is None:
        message.update(given)
        return
    for call in message["tool_calls"]:
        if call["id"] == of_call:
            call["extra_content"] = given["extra_content"]
