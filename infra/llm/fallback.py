"""A model that answers where another does not (RS 8.1)."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import TypeVar

from processors.language_model import (
    Completion,
    JsonSchema,
    LanguageModel,
    ModelRefused,
    Prompt,
    Structured,
    Unavailable,
)

T = TypeVar("T")


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
        return await self._either(lambda model: model.complete(prompt))

    async def structured(self, prompt: Prompt, schema: JsonSchema) -> Structured:
        """See the port."""
        return await self._either(lambda model: model.structured(prompt, schema))

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
                yield piece

    async def _either(self, ask: Callable[[LanguageModel], Awaitable[T]]) -> T:
        try:
            return await ask(self._first)
        except (Unavailable, ModelRefused):
            return await ask(self._second)
