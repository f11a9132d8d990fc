"""The model of ``scripted_model`` behind a server that keeps what it was asked."""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

from tests.bench.scripted_model import state_lines
from tests.support.openai_stub import OpenAIStub, openai_stub
from tests.support.stub_server import Call

_LINE = re.compile(r"^\[(\d+)\] \S+ \S+ ([^:]+): (.*)$", re.MULTILINE)
DATED = 14
"""Tokens of a line's number, date and time, about."""


def is_derivation(call: Call) -> bool:
    """Whether the call asks what a window tells."""
    form = call.body.get("response_format") or {}
    return "explicit" in json.dumps(form)


def answer(call: Call) -> str:
    """Answer as the model of ``scripted_model`` does."""
    said = state_lines(call.text)
    return said if isinstance(said, str) else json.dumps(said)


@contextlib.contextmanager
def scripted_server() -> Iterator[OpenAIStub]:
    """The server, for as long as it is needed."""
    with openai_stub() as stub:
        stub.otherwise = answer
        yield stub


def settings(stub: OpenAIStub, **more: str) -> dict[str, str]:
    """What a server of ours is told to ask it."""
    return {"LLM_OPENAI_API_KEY": "bench", "LLM_OPENAI_BASE_URL": stub.url, **more}


def tokens_of(call: Call, count: Any) -> int:
    """What was said to the model, in o200k_base tokens."""
    return sum(count(each["content"] or "") for each in call.body["messages"])


def tokens_of_lines(call: Call, count: Any) -> int:
    """What of it are lines of the conversation."""
    lines = (f"{who}: {said}" for _, who, said in _LINE.findall(call.text))
    return sum(DATED + count(line) for line in lines)
