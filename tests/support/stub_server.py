"""A server on loopback that answers over a protocol of models what it is told to.

``stub.script(...)`` lines up answers, one a call: a text, an ``Answer``, or a function
of the ``Call`` that returns one. When none is left, ``stub.otherwise`` answers.
``stub.calls`` is what was asked.
"""

import contextlib
import json
import select
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.ports import free_port
from tests.support.stub_replies import Answer

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
        said = [self.body.get("system") or ""]
        said += [each["content"] or "" for each in self.body["messages"]]
        return "\n\n".join(part for each in said for part in _texts(each) if part)

    @property
    def turn(self) -> int:
        """How often the model has spoken before, in this conversation."""
        return sum(each["role"] == "assistant" for each in self.body["messages"])


def _texts(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [
        text
        for block in content
        for text in _texts(block.get("text") or block.get("content") or "")
    ]


class ProtocolStub:
    """See the module; a subclass speaks one protocol. ``asked`` is set by a call."""

    def __init__(self, key: str | None = None) -> None:
        self.key = key
        self.calls: list[Call] = []
        self.release = threading.Event()
        self.asked = threading.Event()
        self.closing = threading.Event()
        self.otherwise: Any = self.plain
        self.lined_up: deque[Any] = deque()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", free_port()), Handler)
        self._server.stub = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def script(self, *answers: Any) -> None:
        self.lined_up.extend(answers)

    def forget(self) -> None:
        """Drop calls and scripts."""
        with self._lock:
            self.calls.clear()
            self.lined_up.clear()
            self.otherwise = self.plain
            self.release.clear()
            self.asked.clear()

    def take(self, call: Call) -> Answer:
        """Return how to answer this call."""
        with self._lock:
            self.calls.append(call)
            self.asked.set()
            if self.key is not None and not self.is_let_in(call):
                return Answer(status=401, code="invalid_api_key")
            answer = self.next_for(call)
        if callable(answer):
            answer = answer(call)
        return Answer(text=answer) if isinstance(answer, str) else answer

    def next_for(self, call: Call) -> Any:  # noqa: ARG002  a protocol may look at it
        return self.lined_up.popleft() if self.lined_up else self.otherwise

    def close(self) -> None:
        self.closing.set()
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(ENDS_WITHIN)

    def plain(self, call: Call) -> Any:
        """Answer where nothing was scripted."""
        raise NotImplementedError

    def is_let_in(self, call: Call) -> bool:
        raise NotImplementedError

    def failure(self, answer: Answer) -> Any:
        """The body of a failure."""
        raise NotImplementedError

    def reply(self, handler: "Handler", call: Call, answer: Answer) -> None:
        """Send an answer that is none of the failures."""
        raise NotImplementedError


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    stub: ProtocolStub


class Handler(BaseHTTPRequestHandler):
    """One connection; what a protocol needs to send an answer."""

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
        stub = self.server.stub
        if answer.stall:
            self.wait(stub.closing)
            self.close_connection = True
            return
        if answer.delay:
            self.wait(stub.closing, answer.delay)
        if answer.status != 200:
            body = stub.failure(answer)
            self.json(answer.status, body, retry_after=answer.retry_after)
        elif answer.body is not None:
            self.send(200, answer.body)
        else:
            stub.reply(self, call, answer)

    def json(self, status: int, body: Any, retry_after: str | None = None) -> None:
        self.send(status, json.dumps(body).encode(), retry_after)

    def send(self, status: int, body: bytes, retry_after: str | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if retry_after is not None:
            self.send_header("retry-after", retry_after)
        self.end_headers()
        self.wfile.write(body)

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def event(self, data: Any, name: str | None = None) -> None:
        """Send one event of a stream."""
        named = f"event: {name}\n" if name else ""
        said = data if isinstance(data, str) else json.dumps(data)
        self.chunk(f"{named}data: {said}\n\n".encode())

    def chunk(self, part: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.flush()

    def may_go_on(self, answer: Answer, number: int) -> bool:
        """Tell whether piece ``number`` is sent; wait before it if it is held."""
        if number == answer.broken_after:
            self._break_off(answer)
            return False
        if number == answer.held_after:
            self.wait(self.server.stub.release)
        return True

    def _break_off(self, answer: Answer) -> None:
        if answer.clean:
            self.chunk(b"")
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def wait(self, until: threading.Event, seconds: float = ENDS_WITHIN) -> None:
        """Wait, watching whether the client goes away."""
        ends = time.monotonic() + seconds
        while not until.is_set() and time.monotonic() < ends:
            if self.server.stub.closing.is_set():
                return
            readable, _, _ = select.select([self.connection], [], [], 0.02)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise BrokenPipeError

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name
        """Say nothing."""
