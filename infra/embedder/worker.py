"""The child process: reads requests on stdin, writes vectors on stdout.

It ends when stdin does, so it never outlives the server that started it, however
that server ended.
"""

import os
import sys
import threading
from typing import BinaryIO

from infra.embedder.frames import (
    HEADER_BYTES,
    Embedded,
    Ready,
    body_length,
    pack,
    read_request,
)
from infra.embedder.lane import Lane
from infra.embedder.model import MiniLM

_BACKGROUND_NICENESS = 10


def main() -> None:
    """Serve until stdin ends."""
    answers = _private_stdout()
    threading.excepthook = _end_process
    writing = threading.Lock()

    def answer(frame: Embedded | Ready) -> None:
        with writing:
            answers.write(pack(frame))
            answers.flush()

    model = MiniLM()
    lanes = {
        True: Lane(model, answer, niceness=0),
        False: Lane(model, answer, niceness=_BACKGROUND_NICENESS),
    }
    for lane in lanes.values():
        lane.start()
    answer(Ready())
    while header := sys.stdin.buffer.read(HEADER_BYTES):
        request = read_request(sys.stdin.buffer.read(body_length(header)))
        lanes[request.interactive].put(request)
    os._exit(0)  # nobody waits for what the lanes still hold


def _private_stdout() -> BinaryIO:
    """Keep the pipe for frames; whatever a library prints goes to stderr."""
    private = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return private


def _end_process(args: threading.ExceptHookArgs) -> None:
    """End the process with a lane: the server starts another and asks again."""
    if not isinstance(args.exc_value, BrokenPipeError):
        threading.__excepthook__(args)
    os._exit(1)


if __name__ == "__main__":
    main()
