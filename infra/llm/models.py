"""The models features are configured to run on; one client for each endpoint."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from openai import AsyncOpenAI

from infra.llm.client import open_client
from infra.llm.endpoint import Endpoint, find_endpoint
from infra.llm.fallback import FallbackModel
from infra.llm.measured import MeasuredModel
from infra.llm.openai_model import OpenAIModel
from infra.settings import Settings
from infra.settings.model_choice import ModelChoice, ModelConfig
from processors.language_model import LanguageModel


class Models:
    """Finds the model of a feature; made by ``open_models``."""

    def __init__(self, settings: Settings, running: AsyncExitStack) -> None:
        self._settings = settings
        self._running = running
        self._clients: dict[bytes, AsyncOpenAI] = {}

    async def find(self, config: ModelConfig) -> LanguageModel | None:
        """Return the configured model; None if its transport has no key.

        None means the offline engine (architecture section 6). A fallback without a
        key is no fallback. What each answer takes is measured.
        """
        first = await self._one(config)
        if first is None:
            return None
        second = await self._one(config.fallback) if config.fallback else None
        return first if second is None else FallbackModel(first, second)

    async def _one(self, choice: ModelChoice) -> LanguageModel | None:
        endpoint = find_endpoint(
            choice.transport,
            choice.overrides,
            api_key=self._settings.llm_openai_api_key,
            base_url=self._settings.llm_openai_base_url,
        )
        if endpoint is None:
            return None
        model = OpenAIModel(await self._client(endpoint), choice, endpoint.body)
        return MeasuredModel(model, self._settings.llm_prices)

    async def _client(self, endpoint: Endpoint) -> AsyncOpenAI:
        shared = msgspec.json.encode(
            (
                endpoint.api_key.get_secret_value(),
                endpoint.base_url,
                endpoint.headers,
                endpoint.query,
                endpoint.timeout,
            )
        )
        if shared not in self._clients:
            opened = await self._running.enter_async_context(open_client(endpoint))
            self._clients[shared] = opened
        return self._clients[shared]


@asynccontextmanager
async def open_models(settings: Settings) -> AsyncIterator[Models]:
    """Find models until the end, which closes their connections."""
    async with AsyncExitStack() as running:
        yield Models(settings, running)
