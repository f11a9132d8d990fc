"""A server of the OpenAI protocol on loopback, which answers what it is told to.

How it is told: ``stub_server``. ``stub.script_embeddings(...)`` lines up failures of
embeddings, which otherwise succeed, ``embeddings_wait`` seconds later, and none while
``embeddings_flow`` is not set.
"""

import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from tests.support import stub_replies as replies
from tests.support.stub_replies import Answer
from tests.support.stub_server import Call, Handler, ProtocolStub
from tests.support.stub_values import instance_of


class OpenAIStub(ProtocolStub):
    """See the module; ``url`` is what a base URL setting wants."""

    def __init__(self, key: str | None = None) -> None:
        self._embeddings: deque[Answer] = deque()
        self.embeddings_wait = 0.0
        self.embeddings_flow = threading.Event()
        self.embeddings_flow.set()
        super().__init__(key)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def chats(self) -> list[Call]:
        return [each for each in self.calls if each.path.endswith("/chat/completions")]

    @property
    def embeddings(self) -> list[Call]:
        return [each for each in self.calls if each.path.endswith("/embeddings")]

    def script_embeddings(self, *answers: Answer) -> None:
        self._embeddings.extend(answers)

    def forget(self) -> None:
        super().forget()
        self._embeddings.clear()

    def next_for(self, call: Call) -> Any:
        if call.path.endswith("/embeddings"):
            return self._embeddings.popleft() if self._embeddings else Answer()
        return super().next_for(call)

    def plain(self, call: Call) -> Any:
        return plain_answer(call)

    def is_let_in(self, call: Call) -> bool:
        return call.headers.get("authorization") == f"Bearer {self.key}"

    def failure(self, answer: Answer) -> Any:
        error = {"message": answer.message, "type": "stub", "code": answer.code}
        return {"error": error}

    def reply(self, handler: Handler, call: Call, answer: Answer) -> None:
        if call.path.endswith("/embeddings"):
            handler.wait(self.embeddings_flow)
            time.sleep(self.embeddings_wait)
            handler.json(200, replies.embeddings(call.body))
        elif not call.path.endswith("/chat/completions"):
            handler.json(404, self.failure(Answer(code="not_found")))
        elif call.body.get("stream"):
            _stream(handler, call, answer)
        else:
            handler.json(200, replies.completion(call.body, answer))


@contextlib.contextmanager
def openai_stub(key: str | None = None) -> Iterator[OpenAIStub]:
    """A listening stub, closed at the end."""
    stub = OpenAIStub(key)
    try:
        yield stub
    finally:
        stub.close()


def plain_answer(call: Call) -> str:
    """Answer "Stub.", or the smallest value of the schema asked for."""
    wanted = call.body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return json.dumps(instance_of(wanted["json_schema"]["schema"]))
    return "{}" if wanted.get("type") == "json_object" else "Stub."


def _stream(handler: Handler, call: Call, answer: Answer) -> None:
    asked, pieces = call.body, replies.pieces(answer.text)
    handler.begin_stream()
    for number, piece in enumerate(pieces):
        if not handler.may_go_on(answer, number):
            return
        handler.event(replies.chunk(asked, {"content": piece}))
    if answer.broken_after is not None:
        handler.may_go_on(answer, answer.broken_after)
        return
    if answer.error is not None:
        handler.event({"error": {"message": "scripted", "code": answer.error}})
        handler.chunk(b"")
        return
    if answer.refusal is not None:
        handler.event(replies.chunk(asked, {"refusal": answer.refusal}))
    for delta in replies.call_deltas(asked, answer):
        handler.event(replies.chunk(asked, {"tool_calls": [delta]}))
    if answer.ends:
        handler.event(replies.chunk(asked, {}, answer.ends))
    if (asked.get("stream_options") or {}).get("include_usage"):
        usage = replies.usage(asked, answer.text)
        handler.event(replies.chunk(asked, None) | {"usage": usage})
    handler.event("[DONE]")
    handler.chunk(b"")
