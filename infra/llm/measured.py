"""A model whose answers say what they took: milliseconds, attempts and money."""

import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager

import msgspec

from infra.llm.wrapped_model import WrappedModel
from infra.settings.price import Price
from processors.language_model import (
    Completion,
    JsonSchema,
    LanguageModel,
    ModelRefused,
    Prompt,
    Structured,
    Unavailable,
    Usage,
)


class MeasuredModel(WrappedModel):
    """Fulfils ``LanguageModel`` with another one, and measures around it.

    Waits between attempts are part of what an answer took; so is, of a stream, how
    slowly it was read. ``prices`` are by model, as it names itself or as it was asked
    for.
    """

    def __init__(self, model: LanguageModel, prices: Mapping[str, Price]) -> None:
        super().__init__(model)
        self._prices = prices

    async def complete(self, prompt: Prompt) -> Completion:
        """See the port."""
        with self._timed() as measured:
            return measured(await self._inner.complete(prompt))

    async def stream(
        self, prompt: Prompt, schema: JsonSchema | None = None
    ) -> AsyncGenerator[str | Completion, None]:
        """See the port."""
        with self._timed() as measured:
            async with aclosing(self._inner.stream(prompt, schema)) as pieces:
                async for piece in pieces:
                    yield measured(piece) if isinstance(piece, Completion) else piece

    async def structured(self, prompt: Prompt, schema: JsonSchema) -> Structured:
        """See the port."""
        with self._timed() as measured:
            answer = await self._inner.structured(prompt, schema)
            return Structured(answer.value, measured(answer.completion))

    @contextmanager
    def _timed(self) -> Iterator[Callable[[Completion], Completion]]:
        """Measure from here on an answer, or what was asked in vain."""
        begun = time.perf_counter()

        def measured(completion: Completion) -> Completion:
            call = msgspec.structs.replace(
                completion.call,
                latency_ms=round((time.perf_counter() - begun) * 1_000, 3),
                cost_usd_micros=self._cost(completion),
            )
            return msgspec.structs.replace(completion, call=call)

        try:
            yield measured
        except (Unavailable, ModelRefused) as failure:
            if failure.in_vain is not None:
                failure.in_vain = measured(failure.in_vain)
            raise

    def _cost(self, completion: Completion) -> int | None:
        """Return millionths of a dollar; None where nobody set a price.

        What spent no tokens cost nothing.
        """
        if completion.usage.calls == 0:
            return 0
        price = self._prices.get(completion.model) or self._prices.get(self.model)
        return None if price is None else cost_of(completion.usage, price)


def cost_of(usage: Usage, price: Price) -> int:
    """Return millionths of a dollar: tokens times dollars per million of them."""
    reading = price.input if price.cached is None else price.cached
    writing = price.input if price.cache_written is None else price.cache_written
    read = min(usage.cached, usage.input)
    written = min(usage.cache_written, usage.input - read)
    fresh = usage.input - read - written
    spent = fresh * price.input + read * reading + written * writing
    return round(spent + usage.output * price.output)
