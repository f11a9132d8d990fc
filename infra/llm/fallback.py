"""A model that answers where another does not (RS 8.1)."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import msgspec

from processors.language_model import (
    Completion,
    JsonSchema,
    LanguageModel,
    ModelRefused,
    Prompt,
    Structured,
    Unavailable,
)


class FallbackModel:
    """Fulfils ``LanguageModel``: asks the second where the first does not answer.

    A stream changes over only before its first piece. A completion says which model
    it is from; ``model`` names the first.
    """

    def __init__(self, first: LanguageModel, second: LanguageModel) -> None:
        self._first = first
        self._second = second

    @property
    def transport(self) -> str:
        return self._first.transport

    @property
    def model(self) -> str:
        return self._first.model

    @property
    def parameters(self) -> Mapping[str, str]:
        return self._first.parameters

    async def complete(self, prompt: Prompt) -> Completion:
        """See the port."""
        try:
            return await self._first.complete(prompt)
        except (Unavailable, ModelRefused):
            return self._by_second(await self._second.complete(prompt))

    async def structured(self, prompt: Prompt, schema: JsonSchema) -> Structured:
        """See the port."""
        try:
            return await self._first.structured(prompt, schema)
        except (Unavailable, ModelRefused):
            answer = await self._second.structured(prompt, schema)
            return Structured(answer.value, self._by_second(answer.completion))

    async def stream(
        self, prompt: Prompt, schema: JsonSchema | None = None
    ) -> AsyncGenerator[str | Completion, None]:
        """See the port."""
        begun = False
        try:
            async with aclosing(self._first.stream(prompt, schema)) as pieces:
                async for piece in pieces:
                    begun = True
                    yield piece
        except (Unavailable, ModelRefused):
            if begun:
                raise
        else:
            return
        async with aclosing(self._second.stream(prompt, schema)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Completion):
                    yield self._by_second(piece)
                else:
                    yield piece

    def _by_second(self, completion: Completion) -> Completion:
        return msgspec.structs.replace(
            completion, transport=self._second.transport, fallback=True
        )
