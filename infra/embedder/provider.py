"""An embedder behind the OpenAI protocol: the provider's, or your own server's."""

import asyncio
import logging
import math
import sys
from array import array
from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Any, Final

import msgspec
import openai
from openai import AsyncOpenAI
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from infra.embedder.asked import EmbeddingModel
from infra.embedder.errors import EmbedderUnavailable
from infra.llm.outcomes import outcome_of
from processors.language_model import Unavailable
from processors.ports import TokenCounter

_log = logging.getLogger("palimpsest.embedder")

_ATTEMPTS: Final = 3
_REST: Final = 5.0
"""Seconds nobody is made to wait again for a provider that let a question hang."""


_NOTHING: Final = "."
"""A text that means nothing, and that nobody refuses who takes any."""

_LEAST: Final = 1e-6
_MOST: Final = 1e6
"""Between them the squares of numbers are numbers, of which a distance is made."""


class _Item(msgspec.Struct, frozen=True):
    embedding: str | list[float]
    index: int | None = None


class _Answer(msgspec.Struct, frozen=True):
    data: list[_Item]


class _Refused(EmbedderUnavailable):
    """These texts are refused, which asking again does not mend."""


class ProviderEmbedder:
    """Fulfils ``VectorSource`` over HTTP; retries what can succeed by itself."""

    def __init__(
        self, client: AsyncOpenAI, asked: EmbeddingModel, tokens: TokenCounter
    ) -> None:
        self.model = asked.collection
        self.dimensions = asked.dimensions
        self._client = client
        self._asked = asked
        self._tokens = tokens
        self._rests_until = 0.0
        self._turns = asyncio.Semaphore(asked.at_once)

    async def embed(
        self, texts: Sequence[str], *, interactive: bool = False
    ) -> list[bytes]:
        """Return a vector for each text, cut to the tokens the model reads.

        Raises:
            EmbedderUnavailable: also what a person has to mend, such as a wrong key
                or a model of other dimensions; its text says which.
        """
        if interactive and monotonic() < self._rests_until:
            raise EmbedderUnavailable("it let a question hang a moment ago", _REST)
        readable = [await self._cut(text) for text in texts]
        vectors: list[bytes] = []
        for part in _parts(readable, self._asked):
            found = await self._part(part, interactive=interactive)
            if len(found) != len(part):
                reason = f"it gave {len(found)} vectors for {len(part)} texts"
                _log.warning("the embedder is not as set: %s", reason)
                raise EmbedderUnavailable(reason)
            vectors += found
        return vectors

    async def embed_query(self, text: str) -> bytes | None:
        """Return the vector of a question, None when it cannot be had now."""
        try:
            return (await self.embed([text], interactive=True))[0]
        except EmbedderUnavailable:
            return None

    async def _part(self, part: list[str], *, interactive: bool) -> list[bytes]:
        """Ask for some texts; behind, one that is refused is not to hold up others."""
        try:
            found = await self._ask(part, interactive=interactive)
        except _Refused:
            if interactive:
                raise
            if len(part) == 1:
                return [await self._of_less(part[0])]
            return [
                vector
                for text in part
                for vector in await self._part([text], interactive=False)
            ]
        if len(part) > 1 and len(found) == 1:
            # A server that does not batch answers the first or the last text.
            found = [
                vector
                for text in part
                for vector in await self._ask([text], interactive=interactive)
            ]
        return found

    async def _of_less(self, text: str) -> bytes:
        """Return the vector of as much of a refused text as is taken.

        Some models count tokens otherwise, some refuse what is said; where nothing of
        it is taken, it means nothing. Raises ``_Refused``: everything is refused.
        """
        nothing = await self._ask([_NOTHING], interactive=False)
        while len(text) > 1:
            text = text[: len(text) // 2]
            try:
                return (await self._ask([text], interactive=False))[0]
            except _Refused:
                continue
        _log.warning("the embedder refuses a text whole; it is not found by meaning")
        return nothing[0]

    async def _ask(self, part: list[str], *, interactive: bool) -> list[bytes]:
        if interactive:
            return await self._asked_again(part, interactive=True)
        async with self._turns:
            return await self._asked_again(part, interactive=False)

    async def _asked_again(self, part: list[str], *, interactive: bool) -> list[bytes]:
        again = AsyncRetrying(
            stop=stop_after_attempt(2 if interactive else _ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.1 if interactive else 0.5, max=4),
            retry=retry_if_exception(
                lambda error: _may_succeed(error, interactive=interactive)
            ),
            reraise=True,
        )
        try:
            content: bytes = await again(self._request, part, interactive)
        except openai.OpenAIError as error:
            if interactive and isinstance(error, openai.APITimeoutError):
                self._rests_until = monotonic() + _REST
            outcome = outcome_of("the embedder", error)
            _log.warning("%s: %s", outcome, type(error).__name__)
            if not isinstance(outcome, Unavailable):
                raise _Refused(str(outcome)) from error
            raise EmbedderUnavailable(str(outcome), outcome.retry_after) from error
        return self._vectors(content)

    async def _request(self, part: list[str], interactive: bool) -> bytes:  # noqa: FBT001  passed on by tenacity
        asked = self._asked
        wanted: dict[str, Any] = {}
        if asked.sends_dimensions:
            wanted["dimensions"] = asked.dimensions
        answer = await self._client.embeddings.with_raw_response.create(
            input=part,
            model=asked.model,
            encoding_format="base64" if asked.base64 else "float",
            timeout=asked.question_within if interactive else asked.answer_within,
            extra_body=asked.body or None,
            **wanted,
        )
        return answer.content

    def _vectors(self, content: bytes) -> list[bytes]:
        """Read an answer, and check that it is what was asked for."""
        try:
            items = msgspec.json.decode(content, type=_Answer).data
            items.sort(key=lambda item: item.index or 0)
            vectors = [_packed(item.embedding) for item in items]
        except (msgspec.DecodeError, NotBase64, OverflowError, ValueError) as error:
            _log.warning("the embedder does not answer with vectors")
            raise EmbedderUnavailable("it does not answer with vectors") from error
        size = next((len(v) for v in vectors if len(v) != 4 * self.dimensions), None)
        if size is not None:
            reason = (
                f"it makes {size // 4} dimensions, and EMBEDDING_VECTOR_DIMENSIONS "
                f"is {self.dimensions}"
            )
            _log.warning("the embedder is not as set: %s", reason)
            raise EmbedderUnavailable(reason)
        return vectors

    async def _cut(self, text: str) -> str:
        """Keep the beginning of a text as far as the model reads."""
        text = text.encode("utf-8", "replace").decode("utf-8") or " "
        most = self._asked.max_input_tokens
        # A token has at least one byte: what is short enough needs no counting.
        while len(text.encode()) > most:
            count = await asyncio.to_thread(self._tokens.count, text)
            if count <= most:
                break
            text = text[: max(1, len(text) * most * 49 // (count * 50))]
        return text


def _parts(texts: list[str], asked: EmbeddingModel) -> Iterator[list[str]]:
    """Cut into requests; bytes bound the tokens, which are never more."""
    part: list[str] = []
    size = 0
    for text in texts:
        weight = min(len(text.encode()), asked.max_input_tokens)
        full = len(part) >= asked.max_batch or size + weight > asked.max_request_tokens
        if part and full:
            yield part
            part, size = [], 0
        part.append(text)
        size += weight
    if part:
        yield part


def _packed(embedding: str | list[float]) -> bytes:
    """Return float32 little-endian, which points somewhere: else nothing compares.

    Raises:
        ValueError: it is not made of numbers.
    """
    if isinstance(embedding, str):
        packed = a2b_base64(embedding)
        numbers = array("f", packed)
        if sys.byteorder == "big":
            numbers.byteswap()
    else:
        numbers = array("f", embedding)
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ValueError("not a vector")
    largest = max(map(abs, numbers))
    if largest == 0:
        numbers[0] = 1.0
    elif not _LEAST <= largest <= _MOST:
        numbers = array("f", [each / largest for each in numbers])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _may_succeed(error: BaseException, *, interactive: bool) -> bool:
    """Tell what asking again may mend; nobody waits twice for a silent provider."""
    if isinstance(error, openai.APITimeoutError):
        return not interactive
    if isinstance(error, openai.RateLimitError):
        return error.code != "insufficient_quota"
    return isinstance(
        error,
        openai.APIConnectionError | openai.InternalServerError | openai.ConflictError,
    )
