"""Models, vectors and webhooks whose calls are spans, named as OpenTelemetry does."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from opentelemetry.trace import Span

from infra.embedder.source import VectorSource
from infra.llm.find_model import FindModel
from infra.llm.wrapped_model import WrappedModel
from infra.settings.model_choice import ModelConfig
from infra.telemetry.traces import Traces, parent_of
from processors.language_model import (
    Completion,
    JsonSchema,
    LanguageModel,
    Prompt,
    Structured,
)
from processors.sending import Sent, WebhookSender


class TracedModels:
    """Fulfils ``FindModel``: what it finds is traced."""

    def __init__(self, models: FindModel, traces: Traces) -> None:
        self._models = models
        self._traces = traces

    async def find(self, config: ModelConfig) -> LanguageModel | None:
        """See ``FindModel``."""
        model = await self._models.find(config)
        return None if model is None else TracedModel(model, self._traces)


class TracedModel(WrappedModel):
    """Fulfils ``LanguageModel`` with another one; each call is a span."""

    def __init__(self, model: LanguageModel, traces: Traces) -> None:
        super().__init__(model)
        self._traces = traces

    async def complete(self, prompt: Prompt) -> Completion:
        """See the port."""
        with self._traces.calling(*self._asked(prompt)) as span:
            completion = await self._inner.complete(prompt)
            _tell(span, completion)
            return completion

    async def stream(
        self, prompt: Prompt, schema: JsonSchema | None = None
    ) -> AsyncGenerator[str | Completion, None]:
        """See the port."""
        with self._traces.beside(*self._asked(prompt)) as span:
            async with aclosing(self._inner.stream(prompt, schema)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Completion):
                        _tell(span, piece)
                    yield piece

    async def structured(self, prompt: Prompt, schema: JsonSchema) -> Structured:
        """See the port."""
        with self._traces.calling(*self._asked(prompt)) as span:
            answer = await self._inner.structured(prompt, schema)
            _tell(span, answer.completion)
            return answer

    def _asked(self, prompt: Prompt) -> tuple[str, dict[str, Any]]:
        told: dict[str, Any] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": self.transport,
            "gen_ai.request.model": self.model,
            "gen_ai.request.max_tokens": prompt.max_tokens,
        }
        if prompt.purpose is not None:
            told["palimpsest.tenant"] = prompt.purpose.workspace
            told["palimpsest.feature"] = prompt.purpose.feature
        return f"chat {self.model}", told


class TracedVectors:
    """Fulfils ``VectorSource`` with another one; each call is a span."""

    def __init__(self, source: VectorSource, traces: Traces) -> None:
        self.model = source.model
        self.dimensions = source.dimensions
        self._source = source
        self._traces = traces

    async def embed(
        self, texts: Sequence[str], *, interactive: bool = False
    ) -> list[bytes]:
        """See ``VectorSource``."""
        with self._traces.calling(*self._asked(len(texts))):
            return await self._source.embed(texts, interactive=interactive)

    async def embed_query(self, text: str) -> bytes | None:
        """See ``VectorSource``."""
        with self._traces.calling(*self._asked(1)) as span:
            vector = await self._source.embed_query(text)
            span.set_attribute("palimpsest.embedded", vector is not None)
            return vector

    def _asked(self, texts: int) -> tuple[str, dict[str, Any]]:
        return f"embeddings {self.model}", {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.request.model": self.model,
            "palimpsest.texts": texts,
        }


class TracedSender:
    """Fulfils ``WebhookSender`` with another one; its span is the receiver's parent."""

    def __init__(self, sender: WebhookSender, traces: Traces) -> None:
        self._sender = sender
        self._traces = traces

    async def send(
        self, url: str, body: bytes, trace_parent: str | None = None
    ) -> Sent:
        """See ``WebhookSender``; where it is sent to is not told."""
        with self._traces.calling("webhook", {}, trace_parent) as span:
            sent = await self._sender.send(url, body, parent_of(span))
            if sent.status is not None:
                span.set_attribute("http.response.status_code", sent.status)
            elif sent.error is not None:
                span.set_attribute("error.type", sent.error)
            return sent


def _tell(span: Span, completion: Completion) -> None:
    span.set_attribute("gen_ai.response.model", completion.model)
    span.set_attribute("gen_ai.response.finish_reasons", [completion.finish])
    span.set_attribute("gen_ai.usage.input_tokens", completion.usage.input)
    span.set_attribute("gen_ai.usage.output_tokens", completion.usage.output)
    span.set_attribute("palimpsest.attempts", completion.call.attempts)
