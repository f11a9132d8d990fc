"""A server of the OpenAI protocol on loopback, which answers what it is told to.

``stub.script(...)`` lines up answers of chat completions, one a call: a text, an
``Answer``, or a function of the ``Call`` that returns one. When none is left,
``stub.otherwise`` answers. ``stub.script_embeddings(...)`` lines up failures of
embeddings, which otherwise succeed. ``stub.calls`` is what was asked.
"""

import contextlib
import json
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support import stub_replies as replies
from tests.support.stub_replies import Answer
from tests.support.stub_values import instance_of

ENDS_WITHIN = 60.0


@dataclass
class Call:
    """One request as it came in; ``left`` is set if its client went away."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    query: str = ""
    left: threading.Event = field(default_factory=threading.Event)

    @property
    def text(self) -> str:
        """All that was said to the model."""
        return "\n\n".join(each["content"] or "" for each in self.body["messages"])


class OpenAIStub:
    """See the module; ``url`` is what a base URL setting wants."""

    def __init__(self, key: str | None = None) -> None:
        self.key = key
        self.calls: list[Call] = []
        self.release = threading.Event()
        self.asked = threading.Event()
        self.closing = threading.Event()
        self.otherwise: Any = plain_answer
        self._chat: deque[Any] = deque()
        self._embeddings: deque[Answer] = deque()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.stub = self
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def chats(self) -> list[Call]:
        return [each for each in self.calls if each.path.endswith("/chat/completions")]

    @property
    def embeddings(self) -> list[Call]:
        return [each for each in self.calls if each.path.endswith("/embeddings")]

    def script(self, *answers: Any) -> None:
        self._chat.extend(answers)

    def script_embeddings(self, *answers: Answer) -> None:
        self._embeddings.extend(answers)

    def forget(self) -> None:
        """Drop calls and scripts."""
        with self._lock:
            self.calls.clear()
            self._chat.clear()
            self._embeddings.clear()
            self.otherwise = plain_answer
            self.release.clear()
            self.asked.clear()

    def take(self, call: Call) -> Answer:
        """Return how to answer this call."""
        with self._lock:
            self.calls.append(call)
            self.asked.set()
            if self.key is not None:
                sent = call.headers.get("authorization")
                if sent != f"Bearer {self.key}":
                    return Answer(status=401, code="invalid_api_key")
            if call.path.endswith("/embeddings"):
                return self._embeddings.popleft() if self._embeddings else Answer()
            answer = self._chat.popleft() if self._chat else self.otherwise
        if callable(answer):
            answer = answer(call)
        return Answer(text=answer) if isinstance(answer, str) else answer

    def close(self) -> None:
        self.closing.set()
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(ENDS_WITHIN)


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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    stub: OpenAIStub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length) or b"{}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, _, query = self.path.partition("?")
        call = Call(path, body, headers, query)
        answer = self.server.stub.take(call)
        try:
            self._answer(call, answer)
        except (BrokenPipeError, ConnectionResetError):
            call.left.set()
            self.close_connection = True

    def _answer(self, call: Call, answer: Answer) -> None:
        if answer.stall:
            self._wait(self.server.stub.closing)
            self.close_connection = True
        elif answer.status != 200:
            self._fail(answer)
        elif answer.body is not None:
            self._send(200, answer.body)
        elif call.path.endswith("/embeddings"):
            self._json(200, replies.embeddings(call.body))
        elif not call.path.endswith("/chat/completions"):
            self._fail(Answer(status=404, code="not_found"))
        elif call.body.get("stream"):
            self._stream(call, answer)
        else:
            self._json(200, replies.completion(call.body, answer))

    def _fail(self, answer: Answer) -> None:
        error = {"message": "scripted", "type": "stub", "code": answer.code}
        self._json(answer.status, {"error": error}, retry_after=answer.retry_after)

    def _json(self, status: int, body: Any, retry_after: str | None = None) -> None:
        self._send(status, json.dumps(body).encode(), retry_after)

    def _send(self, status: int, body: bytes, retry_after: str | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if retry_after is not None:
            self.send_header("retry-after", retry_after)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, call: Call, answer: Answer) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number, piece in enumerate(replies.pieces(answer.text)):
            if number == answer.broken_after:
                self._break_off(answer)
                return
            if number == answer.held_after:
                self._wait(self.server.stub.release)
            self._event(replies.chunk(call.body, {"content": piece}))
        if answer.broken_after is not None:
            self._break_off(answer)
            return
        if answer.refusal is not None:
            self._event(replies.chunk(call.body, {"refusal": answer.refusal}))
        for delta in replies.call_deltas(call.body, answer):
            self._event(replies.chunk(call.body, {"tool_calls": [delta]}))
        if answer.ends:
            self._event(replies.chunk(call.body, {}, answer.ends))
        if (call.body.get("stream_options") or {}).get("include_usage"):
            usage = replies.usage(call.body, answer.text)
            self._event(replies.chunk(call.body, None) | {"usage": usage})
        self._chunked(b"data: [DONE]\n\n")
        self._chunked(b"")

    def _break_off(self, answer: Answer) -> None:
        if answer.clean:
            self._chunked(b"")
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _event(self, chunk: Any) -> None:
        self._chunked(b"data: " + json.dumps(chunk).encode() + b"\n\n")

    def _chunked(self, part: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.flush()

    def _wait(self, until: threading.Event) -> None:
        """Wait, watching whether the client goes away."""
        ends = time.monotonic() + ENDS_WITHIN
        while not until.is_set() and time.monotonic() < ends:
            if self.server.stub.closing.is_set():
                return
            readable, _, _ = select.select([self.connection], [], [], 0.02)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise BrokenPipeError

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name
        """Say nothing."""
