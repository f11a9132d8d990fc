"""A streamed answer put together: its text, what it took, and whether it is whole."""

from collections.abc import AsyncGenerator
from typing import Any, Final

from openai import AsyncStream
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk

from domain.event import Call
from infra.llm.json_answer import clean
from processors.language_model import Completion, ModelRefused, Unavailable, Usage

_SENTINEL_WITHIN: Final = 64
"""Bytes from the end of a stream in which its last event stands."""


class StreamedAnswer:
    """A streamed answer as far as it has come; ``begun`` once anything has."""

    def __init__(self, who: str, model: str, attempts: int) -> None:
        self._who = who
        self._attempts = attempts
        self.begun = False
        self._model = model
        self._pieces: list[str] = []
        self._usage: CompletionUsage | None = None
        self._finish: str | None = None

    def read(self, chunk: ChatCompletionChunk) -> str:
        """Take in one chunk; return the text it adds.

        Raises:
            ModelRefused
        """
        self.begun = True
        self._model = chunk.model or self._model
        self._usage = chunk.usage or self._usage
        piece = ""
        for choice in chunk.choices or ():
            self._finish = choice.finish_reason or self._finish
            if choice.delta.refusal or self._finish == "content_filter":
                raise ModelRefused(self._who, "content_filter")
            piece += choice.delta.content or ""
        piece = clean(piece)
        self._pieces.append(piece)
        return piece

    @property
    def finished(self) -> bool:
        """Whether it said why it ends."""
        return self._finish is not None

    def completion(self, *, whole: bool) -> Completion:
        """Return the whole of it; some endpoints never say why an answer ends.

        Raises:
            Unavailable: it is not whole.
        """
        if not whole:
            raise Unavailable(self._who)
        return Completion(
            text="".join(self._pieces),
            model=self._model,
            usage=usage_of(self._usage),
            finish=finish_of(self._finish),
            call=Call(attempts=self._attempts),
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


def usage_of(spent: CompletionUsage | None) -> Usage:
    """Read a provider's count; what it does not say is 0 (RS 8.6)."""
    if spent is None:
        return Usage()
    read, thought = spent.prompt_tokens_details, spent.completion_tokens_details
    return Usage(
        input=spent.prompt_tokens or 0,
        output=spent.completion_tokens or 0,
        cached=(read.cached_tokens if read else 0) or 0,
        reasoning=(thought.reasoning_tokens if thought else 0) or 0,
    )


def finish_of(reason: str | None) -> Any:
    """Read why an answer ended."""
    return reason if reason in {"stop", "length"} else "other"
