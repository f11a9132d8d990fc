"""What a provider is asked for: a model of vectors and its limits."""

from typing import Any, Final

import msgspec

_DEFAULT_DIMENSIONS: Final = 1_536


class EmbeddingModel(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, and within which limits (RS 9.1).

    ``sends_dimensions`` says whether the request names the dimensions; some models
    refuse that. ``body`` is added to every request. Texts longer than
    ``max_input_tokens`` are cut; ``max_batch`` texts and ``max_request_tokens`` are
    the most of one request, ``at_once`` the most requests nobody waits for. Seconds
    bound one attempt.
    """

    model: str
    dimensions: int
    sends_dimensions: bool
    base64: bool
    max_input_tokens: int = 8_192
    max_batch: int = 2_048
    max_request_tokens: int = 300_000
    at_once: int = 10
    body: dict[str, Any] = {}
    question_within: float = 5.0
    answer_within: float = 60.0

    @property
    def collection(self) -> str:
        """Name its vectors: a model asked for other dimensions is another model."""
        if self.dimensions == _DEFAULT_DIMENSIONS:
            return self.model
        return f"{self.model}/{self.dimensions}"
