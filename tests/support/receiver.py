"""A webhook endpoint on loopback: answers by path, remembers what it was sent."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.ports import free_port


@dataclass(frozen=True)
class Heard:
    """One request as it came."""

    path: str
    body: bytes
    headers: dict[str, str]

    @property
    def told(self) -> dict[str, object]:
        return json.loads(self.body)


@dataclass
class Receiver:
    """What was heard, and how each path answers: a status, by turns if several."""

    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    answers: dict[str, list[int]] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        """A URL of the receiver; a host name, as the contract wants."""
        return f"http://localhost:{self.port}{path}"

    def at(self, path: str) -> list[Heard]:
        return [each for each in list(self.heard) if each.path == path]

    def answer(self, path: str) -> int:
        """Return the next status of a path; the last one stays."""
        turns = self.answers.get(path, [200])
        return turns.pop(0) if len(turns) > 1 else turns[0]


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen until left; a path that begins with /slow answers when released."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            named = {k.lower(): v for k, v in self.headers.items()}
            receiver.heard.append(Heard(self.path, body, named))
            if self.path.startswith("/slow"):
                receiver.released.wait(60)
            status = receiver.answer(self.path)
            with contextlib.suppress(OSError):
                self.send_response(status)
                if status == 302:
                    self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
