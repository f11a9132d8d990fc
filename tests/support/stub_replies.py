"""What the stub of the OpenAI protocol sends: answers, chunks, usage, vectors."""

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.support.stub_values import embedding


@dataclass(frozen=True)
class Answer:
    """How one call is answered.

    ``status`` other than 200 is a failure with this ``code``; ``retry_after`` is
    sent as written. ``stall`` never answers until the client or the test gives up.
    ``broken_after`` pieces a stream's connection is cut, or, if ``clean``, ended
    without saying so; ``held_after`` pieces it waits for ``stub.release``.
    ``message`` is what a failure says. ``delay`` seconds pass before the first byte;
    ``error`` is the code of an error that comes at the end of a stream instead of an
    end. ``thought`` is what a model that thinks says of it (Anthropic's alone).
    ``calls`` are names and arguments of tools it wants used; arguments given as a text
    are sent as they are, JSON or not.
    """

    text: str = ""
    status: int = 200
    code: str | None = None
    retry_after: str | None = None
    finish: str = "stop"
    refusal: str | None = None
    stall: bool = False
    broken_after: int | None = None
    clean: bool = False
    held_after: int | None = None
    body: bytes | None = None
    calls: tuple[tuple[str, Any], ...] = ()
    delay: float = 0.0
    error: str | None = None
    thought: str | None = None
    message: str = "scripted"

    @property
    def ends(self) -> str:
        """Why it ended, as the OpenAI protocol says it."""
        return "tool_calls" if self.calls and self.finish == "stop" else self.finish


def written(arguments: Any) -> str:
    """Arguments as a model writes them."""
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def tool_calls(asked: dict[str, Any], answer: Answer) -> list[dict[str, Any]]:
    """The calls of an answer; their ids tell turns of a conversation apart."""
    turn = len(asked["messages"])
    return [
        {
            "id": f"call_{turn}_{number}",
            "type": "function",
            "function": {"name": name, "arguments": written(arguments)},
        }
        for number, (name, arguments) in enumerate(answer.calls)
    ]


def call_deltas(asked: dict[str, Any], answer: Answer) -> list[dict[str, Any]]:
    """The calls of an answer as a stream tells them: the arguments in halves."""
    deltas = []
    for index, call in enumerate(tool_calls(asked, answer)):
        whole = call["function"]["arguments"]
        half = len(whole) // 2
        opening = {**call["function"], "arguments": whole[:half]}
        deltas.append({"index": index, **call, "function": opening})
        deltas.append({"index": index, "function": {"arguments": whole[half:]}})
    return deltas


def pieces(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)


def completion(asked: dict[str, Any], answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    message["refusal"] = answer.refusal
    if answer.refusal is not None:
        message["content"] = None
    if answer.calls:
        message["tool_calls"] = tool_calls(asked, answer)
    choice = {"index": 0, "message": message, "finish_reason": answer.ends}
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion",
        "created": 1,
        "model": asked["model"],
        "choices": [choice],
        "usage": usage(asked, answer.text),
    }


def chunk(
    asked: dict[str, Any], delta: dict[str, Any] | None, finish: str | None = None
) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": asked["model"],
        "choices": [] if delta is None else [choice],
    }


def usage(asked: dict[str, Any], text: str) -> dict[str, Any]:
    """Count words for tokens."""
    prompt = sum(len((m["content"] or "").split()) for m in asked["messages"])
    written = len(text.split())
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
    }


def embeddings(asked: dict[str, Any]) -> dict[str, Any]:
    texts = asked["input"]
    texts = [texts] if isinstance(texts, str) else texts
    dimensions = asked.get("dimensions") or 1536
    base64 = asked.get("encoding_format") == "base64"
    return {
        "object": "list",
        "model": asked["model"],
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": embedding(text, dimensions, base64=base64),
            }
            for index, text in enumerate(texts)
        ],
        "usage": {"prompt_tokens": len(texts), "total_tokens": len(texts)},
    }
