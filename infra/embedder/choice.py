"""Which model makes the vectors, from settings alone (architecture section 6)."""

from typing import Final
from urllib.parse import urlsplit

import msgspec

from infra.embedder.asked import EmbeddingModel
from infra.llm.endpoint import Endpoint, find_endpoint
from infra.settings import Settings

_TAKE_BASE64: Final = ("api.openai.com",)
"""Hosts known to send vectors packed; others are asked for numbers."""

_BATCHES: Final[dict[str, int]] = {"gemini": 100}
_READS: Final[dict[str, int]] = {"gemini": 2_048}
"""Texts of a request, and tokens of a text, where a transport takes fewer (RS 9.1)."""

_REFUSE_DIMENSIONS: Final = ("text-embedding-ada-002",)


class Embedding(msgspec.Struct, frozen=True):
    """A model of vectors and where it is, as set (RS 9.1)."""

    asked: EmbeddingModel
    endpoint: Endpoint


def chosen_embedding(settings: Settings) -> Embedding | None:
    """Return the model of vectors that is set; None means the bundled one.

    A key for chat alone never changes the embedder; a model without a key is none
    (architecture section 6).
    """
    config = settings.embedding_model_config
    endpoint = find_endpoint(settings, config.transport, config.overrides)
    if not settings.chooses_embedder or endpoint is None:
        return None
    host = urlsplit(endpoint.base_url).hostname
    return Embedding(
        EmbeddingModel(
            model=config.model,
            dimensions=settings.embedding_vector_dimensions,
            sends_dimensions=_sends_dimensions(settings),
            base64=_is_set(config.encoding_format_mode, "base64", host in _TAKE_BASE64),
            max_input_tokens=min(
                settings.embedding_max_input_tokens,
                _READS.get(config.transport, settings.embedding_max_input_tokens),
            ),
            max_batch=config.max_batch_size or _BATCHES.get(config.transport, 2_048),
            max_request_tokens=settings.embedding_max_tokens_per_request,
            at_once=settings.embedding_max_concurrent_embeddings,
            body=endpoint.body,
        ),
        endpoint,
    )


def _sends_dimensions(settings: Settings) -> bool:
    """Tell it where somebody set them, and the model is not known to refuse."""
    config = settings.embedding_model_config
    told = "embedding_vector_dimensions" in settings.model_fields_set
    return _is_set(
        config.dimensions_mode,
        "always",
        told and config.model not in _REFUSE_DIMENSIONS,
    )


def _is_set(mode: str, yes: str, by_itself: bool) -> bool:  # noqa: FBT001  what auto comes to
    return by_itself if mode == "auto" else mode == yes
