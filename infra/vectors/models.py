"""Models of vectors: the one that is set, and one that is on record."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from infra.embedder.asked import EmbeddingModel
from infra.embedder.choice import Embedding, chosen_embedding
from infra.embedder.process import EmbedderProcess
from infra.embedder.serving import Unreachable
from infra.embedder.source import VectorSource
from infra.llm.endpoint import Endpoint, find_endpoint
from infra.settings import Settings
from infra.settings.model_choice import Overrides, Transport
from infra.vectors.ledger import Known
from processors.ports import TokenCounter

BUNDLED: Final = EmbedderProcess.model

_TRANSPORTS: Final[tuple[Transport, ...]] = ("openai", "gemini")

_BUNDLED_WINDOW: Final = 256

_KEPT: Final = (
    *("model", "dimensions", "sends_dimensions", "base64"),
    *("max_input_tokens", "max_batch", "max_request_tokens"),
)
"""What of an asked model goes on record; what is added to requests may be secret."""


class Wanted(msgspec.Struct, frozen=True):
    """The model the settings ask for; ``chosen`` is None where it is the bundled."""

    base: str
    dimensions: int
    asked: dict[str, Any]
    chosen: Embedding | None


def window_of(known: Known) -> int:
    """Return how many tokens of a message its model reads beside who spoke."""
    return int(known.asked.get("max_input_tokens", _BUNDLED_WINDOW)) * 9 // 10


def wanted_model(settings: Settings) -> Wanted:
    """Return which model is to make the vectors."""
    chosen = chosen_embedding(settings)
    if chosen is None:
        return Wanted(BUNDLED, EmbedderProcess.dimensions, {}, None)
    asked = {name: getattr(chosen.asked, name) for name in _KEPT}
    asked["base_url"] = _place(chosen.endpoint.base_url)
    return Wanted(chosen.asked.collection, chosen.asked.dimensions, asked, chosen)


@asynccontextmanager
async def open_wanted(
    wanted: Wanted, model: str, tokens: TokenCounter
) -> AsyncIterator[VectorSource]:
    """Start the bundled embedder, or open the way to the model that is set.

    ``model`` is the name its vectors have in the log.
    """
    async with _opened(wanted.chosen, tokens) as source:
        source.model = model
        yield source


@asynccontextmanager
async def open_known(
    known: Known, settings: Settings, tokens: TokenCounter
) -> AsyncIterator[VectorSource]:
    """Open a model that is on record; an ``Unreachable`` one where none can be asked.

    It is asked where it was asked before, with the key the settings have for that
    address: a key goes to no other.
    """
    if known.base == BUNDLED:
        chosen = None
    else:
        chosen = _chosen_before(known, settings)
        if chosen is None:
            reason = "the settings have no key for the address it was asked at"
            yield Unreachable(known.model, known.dimensions, reason)
            return
    async with _opened(chosen, tokens) as source:
        source.model = known.model
        yield source


@asynccontextmanager
async def _opened(
    chosen: Embedding | None, tokens: TokenCounter
) -> AsyncIterator[VectorSource]:
    if chosen is not None:
        # A large SDK: the bundled embedder does without it.
        from infra.embedder.provider import ProviderEmbedder  # noqa: PLC0415
        from infra.llm.client import open_client  # noqa: PLC0415

        async with open_client(chosen.endpoint) as client:
            yield ProviderEmbedder(client, chosen.asked, tokens)
        return
    process = EmbedderProcess()
    await process.start()
    try:
        yield process
    finally:
        await process.stop()


def _chosen_before(known: Known, settings: Settings) -> Embedding | None:
    place = known.asked.get("base_url")
    endpoint = next(
        (
            each
            for each in _endpoints(settings)
            if place is None or _place(each.base_url) == place
        ),
        None,
    )
    if endpoint is None:
        return None
    kept: dict[str, Any] = {
        name: known.asked[name] for name in _KEPT if name in known.asked
    }
    kept.setdefault("model", known.base.removesuffix(f"/{known.dimensions}"))
    kept.setdefault("dimensions", known.dimensions)
    kept.setdefault("sends_dimensions", known.base.endswith(f"/{known.dimensions}"))
    kept.setdefault("base64", False)
    kept["at_once"] = settings.embedding_max_concurrent_embeddings
    return Embedding(EmbeddingModel(**kept, body=endpoint.body), endpoint)


def _endpoints(settings: Settings) -> list[Endpoint]:
    """Return the addresses the settings have keys for, the former model's first."""
    config = settings.embedding_model_config
    found = [
        find_endpoint(settings, transport, overrides)
        for transport, overrides in (
            (config.transport, settings.embedding_former),
            (config.transport, config.overrides),
            *((each, Overrides()) for each in _TRANSPORTS),
        )
    ]
    return [each for each in found if each is not None]


def _place(base_url: str) -> str:
    """Return an address without what may be a credential."""
    parts = urlsplit(base_url)
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"
