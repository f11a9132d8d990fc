"""Settings of a cross-encoder that reorders what search found."""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr


class RerankSettings(BaseModel):
    """The section rerank; off unless it has a URL."""

    rerank_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="whole address of a reranker's /rerank; none: search's own order",
    )
    rerank_wire: Literal["jina", "tei"] = Field(
        default="jina",
        description="how it is spoken to: jina (also Cohere, vLLM, llama.cpp) or tei",
    )
    rerank_model: str | None = Field(
        default=None, description="its model's id, where it has several"
    )
    rerank_api_key: SecretStr | None = Field(default=None, description="its key")
    rerank_depth: int = Field(
        default=50, ge=1, le=500, description="the best so many are read by it"
    )
    rerank_max_text_characters: int = Field(
        default=2_000, ge=1, le=100_000, description="letters of a text it is sent"
    )
    rerank_timeout_seconds: float = Field(
        default=2.0, gt=0, le=60, description="then search keeps its own order"
    )
