"""Settings of what makes vectors, and of a change from one model to another."""

from pydantic import BaseModel, Field

from infra.settings.model_choice import EmbeddingConfig, Overrides


class EmbeddingSettings(BaseModel):
    """The section embedding, and whether messages are embedded (RS 9, 12)."""

    embed_messages: bool = Field(
        default=True, description="make messages findable by meaning"
    )
    embedding_model_config: EmbeddingConfig = Field(
        default=EmbeddingConfig(),
        description="the model of vectors; bundled unless any of this is set",
    )
    embedding_vector_dimensions: int = Field(
        default=1_536, ge=1, le=16_000, description="numbers of a vector"
    )
    embedding_max_input_tokens: int = Field(
        default=8_192, ge=1, le=1_000_000, description="most tokens of one text"
    )
    embedding_max_tokens_per_request: int = Field(
        default=300_000, ge=1, description="most tokens of one request for vectors"
    )
    embedding_max_chunks: int = Field(
        default=64,
        ge=1,
        le=1_000,
        description="most vectors of a message longer than the model reads at once; "
        "1: only its beginning is found by meaning",
    )
    embedding_max_concurrent_embeddings: int = Field(
        default=10, ge=1, le=100, description="requests for vectors at once, behind"
    )
    embedding_former: Overrides = Field(
        default=Overrides(),
        description="the model before, while a change of models is under way, where "
        "the settings of the new one no longer say it",
    )
    embedding_keep_former_days: float = Field(
        default=7.0,
        ge=0,
        le=36_500,
        description="days until vectors that no longer serve are dropped",
    )
