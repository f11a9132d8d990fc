"""The models features are configured to run on; one client for each endpoint."""

from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from typing import Any, TypeVar

import msgspec

from infra.llm.endpoint import Endpoint, find_endpoint
from infra.llm.fallback import FallbackModel
from infra.llm.measured import MeasuredModel
from infra.llm.patience import Patience
from infra.settings import Settings
from infra.settings.model_choice import ModelChoice, ModelConfig
from processors.language_model import LanguageModel

C = TypeVar("C")

_Opens = Callable[[Endpoint, Patience], AbstractAsyncContextManager[C]]


class Models:
    """Finds the model of a feature; made by ``open_models``."""

    def __init__(self, settings: Settings, running: AsyncExitStack) -> None:
        self._settings = settings
        self._running = running
        self._clients: dict[bytes, Any] = {}
        self._patience = patience_of(settings)

    async def find(self, config: ModelConfig) -> LanguageModel | None:
        """Return the configured model; None if its transport has no key.

        None means the offline engine (architecture section 6). A fallback without a
        key is no fallback. What each answer takes is measured.
        """
        patience = self._patience
        second = None
        if config.fallback is not None:
            second = await self._one(config.fallback, patience.as_backup())
        if second is None:
            return await self._one(config, patience)
        first = await self._one(config, patience.with_backup())
        return None if first is None else FallbackModel(first, second)

    async def _one(
        self, choice: ModelChoice, patience: Patience
    ) -> LanguageModel | None:
        endpoint = find_endpoint(self._settings, choice.transport, choice.overrides)
        if endpoint is None:
            return None
        bounds = patience.within(endpoint.timeout)
        model: LanguageModel
        # The SDKs are large: who asks nobody there does without them.
        if choice.transport == "anthropic":
            from infra.llm.anthropic_client import open_anthropic  # noqa: PLC0415
            from infra.llm.anthropic_model import AnthropicModel  # noqa: PLC0415

            there = await self._client(endpoint, open_anthropic)
            model = AnthropicModel(there, choice, endpoint.body, bounds)
        else:
            from infra.llm.client import open_client  # noqa: PLC0415
            from infra.llm.openai_model import OpenAIModel  # noqa: PLC0415
            from infra.llm.openai_request import openai_body  # noqa: PLC0415

            here = await self._client(endpoint, open_client)
            model = OpenAIModel(here, choice, openai_body(choice, endpoint), bounds)
        return MeasuredModel(model, self._settings.llm_prices)

    async def _client(self, endpoint: Endpoint, open_: _Opens[C]) -> C:
        """Return the client of an endpoint, one for all who ask there."""
        shared = msgspec.json.encode(
            (
                open_.__name__,
                endpoint.api_key.get_secret_value(),
                endpoint.base_url,
                endpoint.headers,
                endpoint.query,
                endpoint.timeout,
            )
        )
        if shared not in self._clients:
            opened = await self._running.enter_async_context(
                open_(endpoint, self._patience)
            )
            self._clients[shared] = opened
        client: C = self._clients[shared]
        return client


def patience_of(settings: Settings) -> Patience:
    """Return how often and how long settings have models asked."""
    return Patience(
        attempts=settings.llm_max_attempts,
        shortest=settings.llm_retry_min_wait_seconds,
        longest=settings.llm_retry_max_wait_seconds,
        connect=settings.llm_connect_timeout_seconds,
        first=settings.llm_first_piece_timeout_seconds,
        silence=settings.llm_silence_timeout_seconds,
        whole=settings.llm_timeout_seconds,
    )


@asynccontextmanager
async def open_models(settings: Settings) -> AsyncIterator[Models]:
    """Find models until the end, which closes their connections."""
    async with AsyncExitStack() as running:
        yield Models(settings, running)
