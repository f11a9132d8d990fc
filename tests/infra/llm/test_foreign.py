"""Whatever a provider sends in place of an answer is an answer, or none: never more."""

import logging
from warnings import catch_warnings, simplefilter

import anthropic.types
import msgspec
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from infra.llm.anthropic_answer import AnthropicAnswer
from infra.llm.openai_answer import read_completion
from infra.llm.streamed_answer import StreamedAnswer
from processors.language_model import Completion, ModelRefused, Unavailable

ODD = (
    *(None, [], {}, "x", 1.5, True, [None], [{}], {"a": 1}, -5),
    *(10**30, "a\x00b", "\ud800", "x" * 1_000),
)

CALL = {
    "index": 0,
    "id": "1",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
    "extra_content": {"a": 1},
}
USAGE = {
    "prompt_tokens": 3,
    "completion_tokens": 2,
    "total_tokens": 5,
    "prompt_tokens_details": {"cached_tokens": 1},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
WHOLE = {
    "id": "c",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "hi",
                "refusal": None,
                "reasoning_content": "thought",
                "tool_calls": [CALL],
            },
            "finish_reason": "stop",
        }
    ],
    "usage": USAGE,
}
CHUNK = {
    "id": "c",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "delta": {
                "content": "hi",
                "reasoning_details": [{"index": 0, "type": "t", "text": "x"}],
                "tool_calls": [CALL],
            },
            "finish_reason": "stop",
        }
    ],
    "usage": USAGE,
}
MESSAGE = {
    "id": "m",
    "type": "message",
    "model": "m",
    "content": [
        {"type": "text", "text": "hi"},
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
    ],
    "stop_reason": "tool_use",
    "usage": {
        "input_tokens": 3,
        "output_tokens": 2,
        "cache_read_input_tokens": 1,
        "output_tokens_details": {"thinking_tokens": 1},
    },
}
EVENTS = [
    {"type": "message_start", "message": {**MESSAGE, "content": []}},
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": ""},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "hi"},
    },
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "1", "name": "f", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": "{}"},
    },
    {
        "type": "content_block_delta",
        "index": 2,
        "delta": {"type": "thinking_delta", "thinking": "t"},
    },
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use"},
        "usage": {"output_tokens": 2},
    },
    {"type": "message_stop"},
]
KINDS = {
    "message_start": anthropic.types.RawMessageStartEvent,
    "content_block_start": anthropic.types.RawContentBlockStartEvent,
    "content_block_delta": anthropic.types.RawContentBlockDeltaEvent,
    "message_delta": anthropic.types.RawMessageDeltaEvent,
    "message_stop": anthropic.types.RawMessageStopEvent,
}


def places(value, at=()):
    """Every place in a value but the whole of it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, each in inner:
        yield (*at, name)
        if isinstance(each, dict | list):
            yield from places(each, (*at, name))


def put(value, at, odd):
    """Return a value with another one at a place."""
    if not at:
        return odd
    copy = value.copy()
    copy[at[0]] = put(value[at[0]], at[1:], odd)
    return copy


def whole(sent):
    return read_completion(
        ChatCompletion.construct(**sent), who="m", by="openai/m", attempts=1
    )


def streamed(sent):
    answer = StreamedAnswer("m", "openai/m", 1)
    answer.read(ChatCompletionChunk.construct(**sent))
    return answer.completion(whole=True)


def message(sent):
    answer = AnthropicAnswer("m", "anthropic/m", 1, None)
    answer.take(anthropic.types.Message.construct(**sent))
    return answer.completion()


def events(sent):
    answer = AnthropicAnswer("m", "anthropic/m", 1, None)
    for kind, event in zip(KINDS_IN_ORDER, sent, strict=True):
        answer.read(event if event is None else kind.construct(**event))
    return answer.completion()


KINDS_IN_ORDER = [KINDS[each["type"]] for each in EVENTS]


@pytest.mark.parametrize(
    ("read", "sent"),
    [(whole, WHOLE), (streamed, CHUNK), (message, MESSAGE), (events, EVENTS)],
)
def test_what_is_misshapen_is_no_answer_and_no_crash(read, sent, caplog):
    caplog.set_level(logging.DEBUG)
    ends = {"answered": 0, "not": 0}
    with catch_warnings():
        simplefilter("error")  # theirs tell of content
        for at in places(sent):
            for odd in ODD:
                if len(at) == 1 and read is events and odd is not None:
                    continue
                try:
                    answer = read(put(sent, at, odd))
                except (Unavailable, ModelRefused):
                    ends["not"] += 1
                    continue
                ends["answered"] += 1
                check(answer)
    assert all(ends.values())
    assert "xxx" not in caplog.text


def check(answer):
    """It is what its types say, can be written, and is read as it was."""
    written = msgspec.json.encode(answer)
    assert msgspec.json.decode(written, type=Completion) == answer
    used = answer.usage
    assert all(0 <= each <= 2**42 for each in (used.input, used.output, used.cached))
    assert "\x00" not in answer.model
    assert len(answer.model) <= 256
