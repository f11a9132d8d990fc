"""One lane of the embedder: the requests of one priority, in a thread of its own."""

import os
import sys
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

import msgspec

from infra.embedder.frames import Embed, Embedded
from infra.embedder.model import MiniLM

_WINDOW = 64  # texts looked at together, to put those of equal length in one batch
_BATCH_TEXTS = 4  # measured: 8 and more are slower, 1 costs a quarter
_BATCH_TOKENS = 256  # a batch never takes longer than one text of full length


class _Part(msgspec.Struct):
    """A request under way: the vectors it has so far."""

    id: int
    vectors: list[bytes]
    missing: int


class _Job(msgspec.Struct):
    """One text of a request."""

    part: _Part
    place: int
    tokens: list[int]


class Lane:
    """Embeds what is put, in the order of arrival, at one priority of the CPU.

    The texts of a few waiting requests are sorted by length first. Each lane has
    its own thread, so an interactive request never waits for a background batch;
    ``niceness`` is added to that thread's.
    """

    def __init__(
        self, model: MiniLM, answer: Callable[[Embedded], None], *, niceness: int
    ) -> None:
        self._model = model
        self._answer = answer
        self._niceness = niceness
        self._requests: SimpleQueue[Embed] = SimpleQueue()

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, request: Embed) -> None:
        self._requests.put(request)

    def _run(self) -> None:
        if self._niceness and sys.platform == "linux":  # elsewhere nice is per process
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, 0, own + self._niceness)
        while True:
            for batch in _batches(self._window()):
                vectors = self._model.embed([job.tokens for job in batch])
                for job, vector in zip(batch, vectors, strict=True):
                    self._finish(job, vector)

    def _window(self) -> list[_Job]:
        """Wait for a request, then take what else has come, up to a window."""
        jobs = self._jobs(self._requests.get())
        while len(jobs) < _WINDOW:
            try:
                jobs += self._jobs(self._requests.get_nowait())
            except Empty:
                break
        return jobs

    def _jobs(self, request: Embed) -> list[_Job]:
        count = len(request.texts)
        part = _Part(request.id, [b""] * count, count)
        tokens = self._model.tokenize(request.texts)
        return [_Job(part, place, ids) for place, ids in enumerate(tokens)]

    def _finish(self, job: _Job, vector: bytes) -> None:
        part = job.part
        part.vectors[job.place] = vector
        part.missing -= 1
        if part.missing == 0:
            self._answer(Embedded(part.id, part.vectors))


def _batches(jobs: list[_Job]) -> list[list[_Job]]:
    batches: list[list[_Job]] = []
    for job in sorted(jobs, key=lambda job: len(job.tokens)):
        last = batches[-1] if batches else None
        if (
            last is not None
            and len(last) < _BATCH_TEXTS
            and (len(last) + 1) * len(job.tokens) <= _BATCH_TOKENS
        ):
            last.append(job)
        else:
            batches.append([job])
    return batches
