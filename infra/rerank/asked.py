"""What a reranker is asked for, from settings."""

from typing import Literal

import msgspec
from pydantic import SecretStr

Wire = Literal["jina", "tei"]
"""``jina`` is what Jina, Cohere and vLLM speak too; ``tei`` is Hugging Face's."""


class Reranking(msgspec.Struct, frozen=True, kw_only=True):
    """Where a reranker is and how much it is given.

    ``depth`` texts are read, each cut to ``characters``; ``within`` is in seconds.
    """

    url: str
    wire: Wire = "jina"
    model: str | None = None
    api_key: SecretStr | None = None
    depth: int = 50
    characters: int = 2_000
    within: float = 2.0
