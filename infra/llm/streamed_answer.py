"""A streamed answer put together: its text, what it took, and whether it is whole."""

from collections.abc import AsyncGenerator
from typing import Final

from openai import AsyncStream
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk

from domain.event import Call
from infra.llm.foreign import checked, own_name, reading
from infra.llm.in_vain import nothing_from
from infra.llm.json_answer import clean
from infra.llm.openai_answer import finish_of, refuse_if_withheld, usage_of
from infra.llm.streamed_calls import StreamedCalls
from processors.language_model import Completion, Unavailable

_SENTINEL_WITHIN: Final = 64
"""Bytes from the end of a stream in which its last event stands."""


class StreamedAnswer:
    """A streamed answer as far as it has come; ``begun`` once anything has."""

    def __init__(self, who: str, by: str, attempts: int) -> None:
        self._who = who
        self._by = by
        self._attempts = attempts
        self.begun = False
        self._model = by.partition("/")[2]
        self._calls = StreamedCalls()
        self._pieces: list[str] = []
        self._usage: CompletionUsage | None = None
        self._finish: str | None = None
        self._refusal: str | None = None

    def read(self, chunk: ChatCompletionChunk) -> str:
        """Take in one chunk; return the text it adds.

        Raises:
            Unavailable: it has not the shape of one.
        """
        self.begun = True
        with reading(self._who, self._model, self._attempts):
            return self._read(chunk)

    def _read(self, chunk: ChatCompletionChunk) -> str:
        self._model = own_name(chunk.model, self._model)
        self._usage = chunk.usage or self._usage
        piece = ""
        for choice in chunk.choices or ():
            self._finish = choice.finish_reason or self._finish
            self._refusal = choice.delta.refusal or self._refusal
            piece += choice.delta.content or ""
            self._calls.read(choice.delta)
        piece = clean(piece)
        self._pieces.append(piece)
        return piece

    @property
    def finished(self) -> bool:
        """Whether it said why it ends."""
        return self._finish is not None

    @property
    def _in_vain(self) -> Completion:
        usage = None if self._usage is None else usage_of(self._usage)
        return nothing_from(self._model, self._attempts, usage)

    def completion(self, *, whole: bool) -> Completion:
        """Return the whole of it; some endpoints never say why an answer ends.

        That it is withheld is said here and not before: what it took comes last.

        Raises:
            Unavailable: it is not whole.
            ModelRefused
        """
        with reading(self._who, self._model, self._attempts):
            refuse_if_withheld(self._who, self._finish, self._refusal, self._in_vain)
            if not whole:
                raise Unavailable(self._who, in_vain=self._in_vain)
            calls, artefacts = self._calls.made(self._finish, self._by)
            return checked(
                Completion(
                    text="".join(self._pieces),
                    model=self._model,
                    usage=usage_of(self._usage),
                    finish=finish_of(self._finish, calls),
                    call=Call(attempts=self._attempts),
                    calls=calls,
                    artefacts=artefacts,
                )
            )


class Sentinel:
    """Sees whether a stream was ended by ``[DONE]``, which the SDK keeps to itself."""

    def __init__(self, chunks: AsyncStream[ChatCompletionChunk]) -> None:
        self._tail = b""
        self._read = chunks.response.aiter_bytes
        chunks.response.aiter_bytes = self._watched  # type: ignore[method-assign]  # the body has no other observer

    @property
    def seen(self) -> bool:
        return b"data:[DONE]" in self._tail.replace(b" ", b"")

    async def _watched(
        self, chunk_size: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        async for part in self._read(chunk_size):
            self._tail = (self._tail + part)[-_SENTINEL_WITHIN:]
            yield part
