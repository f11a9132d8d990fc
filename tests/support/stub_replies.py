"""What the stub of the OpenAI protocol sends: answers, chunks, usage, vectors."""

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


def pieces(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)


def completion(asked: dict[str, Any], answer: Answer) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer.text, "refusal": answer.refusal}
    if answer.refusal is not None:
        message["content"] = None
    choice = {"index": 0, "message": message, "finish_reason": answer.finish}
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
