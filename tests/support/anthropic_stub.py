"""A server of Anthropic's protocol on loopback, which answers what it is told to.

How it is told: ``stub_server``. Finishes of an ``Answer`` are those of the OpenAI
protocol, translated; whatever else stands there is sent as it is.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from tests.support.stub_replies import Answer, pieces, written
from tests.support.stub_server import Call, Handler, ProtocolStub
from tests.support.stub_values import instance_of

_STOPS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}

_CODES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


class AnthropicStub(ProtocolStub):
    """See the module; ``url`` is what a base URL setting wants."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def chats(self) -> list[Call]:
        return [each for each in self.calls if each.path.endswith("/v1/messages")]

    def plain(self, call: Call) -> Any:
        """Answer "Stub.", or by the tool that has to be used."""
        choice = call.body.get("tool_choice") or {}
        if choice.get("type") != "tool":
            return "Stub."
        [wanted] = [t for t in call.body["tools"] if t["name"] == choice["name"]]
        value = instance_of(wanted["input_schema"])
        return Answer(calls=((choice["name"], value),))

    def is_let_in(self, call: Call) -> bool:
        sent = call.headers
        bearer = sent.get("authorization", "").removeprefix("Bearer ")
        return self.key in {sent.get("x-api-key"), bearer}

    def failure(self, answer: Answer) -> Any:
        kind = answer.code or _CODES.get(answer.status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": answer.message}}

    def reply(self, handler: Handler, call: Call, answer: Answer) -> None:
        if not call.path.endswith("/v1/messages"):
            handler.json(404, self.failure(Answer(status=404)))
        elif call.body.get("stream"):
            _stream(handler, call, answer)
        else:
            handler.json(200, _message(call.body, answer))


@contextlib.contextmanager
def anthropic_stub(key: str | None = None) -> Iterator[AnthropicStub]:
    """A listening stub, closed at the end."""
    stub = AnthropicStub(key)
    try:
        yield stub
    finally:
        stub.close()


def _blocks(asked: dict[str, Any], answer: Answer) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if answer.thought is not None:
        thought = {"thinking": answer.thought, "signature": "signed"}
        blocks.append({"type": "thinking", **thought})
    if answer.text:
        blocks.append({"type": "text", "text": answer.text})
    turn = len(asked["messages"])
    for number, (name, arguments) in enumerate(answer.calls):
        id_ = f"toolu_{turn}_{number}"
        given = {"id": id_, "name": name, "input": arguments}
        blocks.append({"type": "tool_use", **given})
    return blocks


def _stop(answer: Answer) -> str | None:
    if answer.refusal is not None:
        return "refusal"
    if answer.calls and answer.finish == "stop":
        return "tool_use"
    return _STOPS.get(answer.finish, answer.finish) or None


def _usage(asked: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """Count words for tokens; what is marked to be kept was read from the cache."""
    said = Call("", asked, {}).text.split()
    kept = [
        block["text"].split()
        for block in asked.get("system") or ()
        if "cache_control" in block
    ]
    cached = sum(map(len, kept))
    return {
        "input_tokens": len(said) - cached,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": len(answer.text.split()),
    }


def _message(asked: dict[str, Any], answer: Answer) -> dict[str, Any]:
    return {
        "id": "msg_stub",
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": _blocks(asked, answer),
        "stop_reason": _stop(answer),
        "stop_sequence": None,
        "usage": _usage(asked, answer),
    }


def _stream(handler: Handler, call: Call, answer: Answer) -> None:
    handler.begin_stream()
    asked = call.body
    begun = _message(asked, Answer()) | {"content": [], "stop_reason": None}
    usage = _usage(asked, answer)
    begun["usage"] = usage | {"output_tokens": 1}
    _send(handler, "message_start", message=begun)
    _send(handler, "ping")
    number = 0
    for index, block in enumerate(_blocks(asked, answer)):
        empty, deltas = _deltas(block)
        _send(handler, "content_block_start", index=index, content_block=empty)
        for delta in deltas:
            if not handler.may_go_on(answer, number):
                return
            number += 1
            _send(handler, "content_block_delta", index=index, delta=delta)
        _send(handler, "content_block_stop", index=index)
    if answer.broken_after is not None:
        handler.may_go_on(answer, answer.broken_after)
        return
    if answer.error is not None:
        _send(handler, "error", error={"type": answer.error, "message": "scripted"})
        handler.chunk(b"")
        return
    delta = {"stop_reason": _stop(answer), "stop_sequence": None}
    spent = {"output_tokens": usage["output_tokens"]}
    _send(handler, "message_delta", delta=delta, usage=spent)
    _send(handler, "message_stop")
    handler.chunk(b"")


def _deltas(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A block as it begins, and the pieces it goes on with."""
    match block["type"]:
        case "text":
            parts = pieces(block["text"])
            texts = [{"type": "text_delta", "text": each} for each in parts]
            return block | {"text": ""}, texts
        case "thinking":
            thought = {"type": "thinking_delta", "thinking": block["thinking"]}
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {"type": "thinking", "thinking": "", "signature": ""}, [
                thought,
                signed,
            ]
        case _:
            whole = written(block["input"])
            half = len(whole) // 2
            halves = [whole[:half], whole[half:]]
            return block | {"input": {}}, [
                {"type": "input_json_delta", "partial_json": each} for each in halves
            ]


def _send(handler: Handler, kind: str, **said: Any) -> None:
    handler.event(json.dumps({"type": kind, **said}), kind)
