"""One run of the embedder's child process, seen from the server."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

from infra.embedder.frames import (
    HEADER_BYTES,
    Embed,
    Embedded,
    Ready,
    body_length,
    pack,
    read_answer,
)

# -P: a folder named "infra" where the server was started is not ours.
_COMMAND = (sys.executable, "-P", "-m", "infra.embedder.worker")
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
_INHERITED_PREFIXES = ("PYTHON", "LD_", "DYLD_")
_SET = {
    # Else onnxruntime keeps a session file in the temporary folder and reports home.
    "ORT_DISABLE_TELEMETRY": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # By itself glibc returns and faults in each intermediate result: a fifth of the
    # time; with larger bounds it keeps what the longest texts needed.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(8 << 20),
}


class Child:
    """A started child; it may still be loading its model."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None  # noqa: S101  both were asked for as pipes
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._requests = process.stdin
        self._answers = process.stdout

    @classmethod
    async def start(cls) -> "Child":
        """Start a child; raises OSError where none can be started.

        It gets no secrets, and no Ctrl-C: its stdin tells it when to end.
        """
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            stdin=PIPE,
            stdout=PIPE,
            env=_environment(),
            start_new_session=True,
        )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, request: Embed) -> None:
        """Write a request; what a dead child does not read is lost without error."""
        self._requests.write(pack(request))

    async def answers(self) -> AsyncIterator[Ready | Embedded]:
        """Yield the child's frames until it ends."""
        try:
            while True:
                header = await self._answers.readexactly(HEADER_BYTES)
                body = await self._answers.readexactly(body_length(header))
                yield read_answer(body)
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    def kill(self) -> None:
        """End the child at once."""
        if self._process.returncode is None:
            self._process.kill()

    async def close(self) -> int:
        """End the child at once, it keeps nothing; return its exit code."""
        self._requests.close()
        self.kill()
        return await self._process.wait()


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or name.startswith(_INHERITED_PREFIXES)
    }
    return kept | _SET
