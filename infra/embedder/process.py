"""The bundled embedder as the server uses it: ask for vectors, they come."""

import asyncio
import itertools
import logging
from collections.abc import Sequence

import msgspec

from infra.embedder.child import Child
from infra.embedder.errors import EmbedderUnavailable
from infra.embedder.frames import Embed, Embedded, Ready
from infra.stopping import stop

_log = logging.getLogger("palimpsest.embedder")

_PART_TEXTS = 16  # texts in one request to the child: what a death makes us repeat
_PARTS_IN_FLIGHT = {True: 32, False: 64}  # by interactive; more wait their turn
_QUESTION_WITHIN = 10.0  # seconds
_SILENCE_WITHIN = 60.0  # seconds without any answer while some are due
_TEXT_CHARACTERS = 8_192  # 256 tokens of any prose end far before
_TRIES = 2
_BROKEN_AFTER = 3  # children in a row that ended before they were ready
_LONGEST_PAUSE = 30.0


class _Asked(msgspec.Struct, eq=False):
    """A request the child has not answered yet."""

    request: Embed
    answer: asyncio.Future[list[bytes]]
    tries: int = 0


class EmbedderProcess:
    """Runs the model in a child process and starts it again when it dies.

    ``start`` returns at once; who asks before the model is loaded waits for it.
    What a dying child left unanswered is asked once more of the next one.
    """

    model: str = "all-minilm-l6-v2-int8"
    dimensions: int = 384

    def __init__(self) -> None:
        self._asked: dict[int, _Asked] = {}
        self._ids = itertools.count(1)
        self._room = {
            kind: asyncio.Semaphore(n) for kind, n in _PARTS_IN_FLIGHT.items()
        }
        self._child: Child | None = None
        self._ready = False
        self._heard = 0.0
        self._refusal: str | None = "it is not started"
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the child, None while there is none."""
        return self._child.pid if self._child else None

    @property
    def ready(self) -> bool:
        """Whether a child with a loaded model is there now."""
        return self._ready

    async def start(self) -> None:
        """Start the child in the background."""
        if self._supervisor is None:
            self._refusal = None
            self._supervisor = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """End the child at once; what waits fails."""
        if self._supervisor is not None:
            await stop(self._supervisor)
            self._supervisor = None
        self._refuse("it is stopped")

    async def embed(
        self, texts: Sequence[str], *, interactive: bool = False
    ) -> list[bytes]:
        """Return one vector for each text: 384 float32, little-endian, of length 1.

        The model reads the first 256 tokens of a text, a lone surrogate as "?".
        Interactive requests do not wait for the others. Raises EmbedderUnavailable.
        """
        vectors: list[bytes] = []
        for start in range(0, len(texts), _PART_TEXTS):
            part = [_readable(text) for text in texts[start : start + _PART_TEXTS]]
            async with self._room[interactive]:
                vectors += await self._ask(part, interactive=interactive)
        return vectors

    async def embed_query(self, text: str) -> bytes | None:
        """Return the vector of a question, or None when no embedder answers now."""
        try:
            return (await self.embed([text], interactive=True))[0]
        except EmbedderUnavailable:
            return None

    async def _ask(self, part: list[str], *, interactive: bool) -> list[bytes]:
        if self._refusal is not None:
            raise EmbedderUnavailable(self._refusal)
        loop = asyncio.get_running_loop()
        request = Embed(next(self._ids), part, interactive)
        asked = self._asked[request.id] = _Asked(request, loop.create_future())
        if self._ready:
            self._send(asked)
        try:
            await self._wait(asked)
            return asked.answer.result()
        finally:
            del self._asked[request.id]

    async def _wait(self, asked: _Asked) -> None:
        """Wait for an answer; background work waits as long as others are answered."""
        interactive = asked.request.interactive
        bound = _QUESTION_WITHIN if interactive else _SILENCE_WITHIN
        now = asyncio.get_running_loop().time
        while not (await asyncio.wait([asked.answer], timeout=bound))[0]:
            silent = now() - self._heard >= bound
            if silent and self._child and (self._ready or not interactive):
                self._child.kill()  # it hangs; a slow start gets the longer bound
            if silent or interactive:
                raise EmbedderUnavailable("it did not answer in time")

    def _send(self, asked: _Asked) -> None:
        if self._child is not None:
            asked.tries += 1
            self._child.send(asked.request)

    async def _supervise(self) -> None:
        stillborn = 0
        while True:
            try:
                child = await Child.start()
            except OSError as error:
                was_ready = False
                _log.warning("the embedder cannot be started: %s", error)
            else:
                was_ready = await self._converse(child)
            stillborn = 0 if was_ready else stillborn + 1
            self._give_up_on_those_tried_enough()
            if stillborn >= _BROKEN_AFTER:
                self._refuse("its process does not start")
            await asyncio.sleep(min(0.05 * 2**stillborn, _LONGEST_PAUSE))

    async def _converse(self, child: Child) -> bool:
        """Take the answers of ``child`` until it ends; return whether it was ready."""
        self._child, self._heard = child, asyncio.get_running_loop().time()
        was_ready = False
        try:
            async for frame in child.answers():
                self._heard = asyncio.get_running_loop().time()
                match frame:
                    case Ready():
                        was_ready = True
                        self._welcome()
                    case Embedded():
                        self._hand_over(frame)
        finally:
            self._child, self._ready = None, False
            code = await child.close()
        _log.warning("the embedder ended with code %s and is started again", code)
        return was_ready

    def _welcome(self) -> None:
        self._ready, self._refusal = True, None
        for asked in self._asked.values():
            self._send(asked)

    def _hand_over(self, frame: Embedded) -> None:
        asked = self._asked.get(frame.id)  # who asked may have left meanwhile
        if asked is not None and not asked.answer.done():
            asked.answer.set_result(frame.vectors)

    def _give_up_on_those_tried_enough(self) -> None:
        for asked in self._asked.values():
            if asked.tries >= _TRIES:
                _fail(asked, "its process died twice over these texts")

    def _refuse(self, reason: str) -> None:
        self._refusal = reason
        for asked in self._asked.values():
            _fail(asked, reason)


def _fail(asked: _Asked, reason: str) -> None:
    if not asked.answer.done():
        asked.answer.set_exception(EmbedderUnavailable(reason))


def _readable(text: str) -> str:
    text = text[:_TEXT_CHARACTERS]
    return text.encode("utf-8", "replace").decode("utf-8")
