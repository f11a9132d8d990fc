"""A model that answers where another does not (RS 8.1, 14.14)."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import TypeVar

from msgspec.structs import replace

from infra.llm.in_vain import after
from processors.language_model import (
    Completion,
    JsonSchema,
    LanguageModel,
    Malformed,
    ModelRefused,
    Prompt,
    Structured,
    Unavailable,
)

T = TypeVar("T")

Failure = Unavailable | ModelRefused


class FallbackModel:
    """Fulfils ``LanguageModel``: asks the second where the first does not answer.

    The first is asked once and the second from then on, which their ``Patience``
    says. A stream changes over only before its first piece. A completion says which
    model it is from, and counts what was asked of the first; ``model`` names the
    first.
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
        answer, failed = await self._either(lambda model: model.complete(prompt))
        return self._counted(answer, failed)

    async def structured(self, prompt: Prompt, schema: JsonSchema) -> Structured:
        """See the port."""
        answer, failed = await self._either(
            lambda model: model.structured(prompt, schema)
        )
        return Structured(answer.value, self._counted(answer.completion, failed))

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
        except (Unavailable, ModelRefused) as failure:
            if begun:
                raise
            failed = failure
        else:
            return
        try:
            async with aclosing(self._second.stream(prompt, schema)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, str):
                        yield piece
                    else:
                        yield self._counted(piece, failed)
        except (Unavailable, ModelRefused) as failure:
            raise _of_both(failed, failure) from None

    async def _either(
        self, ask: Callable[[LanguageModel], Awaitable[T]]
    ) -> tuple[T, Failure | None]:
        try:
            return await ask(self._first), None
        except (Unavailable, ModelRefused) as failure:
            failed = failure
        try:
            return await ask(self._second), failed
        except (Unavailable, ModelRefused) as failure:
            raise _of_both(failed, failure) from None

    def _counted(self, completion: Completion, failed: Failure | None) -> Completion:
        if failed is None:
            return completion
        by = f"{self._second.transport}/{self._second.model}"
        counted = after(failed.in_vain, completion)
        return replace(
            counted,
            call=replace(counted.call, answered_by=by),
            transport=self._second.transport,
            fallback=True,
        )


def _of_both(first: Failure, second: Failure) -> Failure:
    """Return the failure that leaves more hope, with what both took.

    What one of two models cannot answer now, it may answer later: that the other
    refused, or answered in no form, must not end the matter (RS 14.14).
    """
    failure = min(second, first, key=_finality)
    if first.in_vain is None or second.in_vain is None:
        failure.in_vain = first.in_vain or second.in_vain
    else:
        failure.in_vain = after(first.in_vain, second.in_vain)
    return failure


def _finality(failure: Failure) -> int:
    if isinstance(failure, ModelRefused):
        return 2
    return 1 if isinstance(failure, Malformed) else 0
