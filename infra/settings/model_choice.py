"""Which model a feature runs on, and how it is asked (RS 8.1)."""

from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Transport = Literal["openai", "anthropic", "gemini"]

_TRANSPORTS: Final = ("openai", "anthropic", "gemini")


class Overrides(BaseModel):
    """Where one feature's model is, if not where ``LLM_*`` says."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    api_key: SecretStr | None = Field(default=None, description="key of this feature")
    api_key_env: str | None = Field(
        default=None, description="environment variable that holds the key"
    )
    base_url: str | None = Field(default=None, description="endpoint of this feature")
    provider_params: dict[str, Any] = Field(
        default={},
        description="JSON: extra_body, extra_headers, extra_query, timeout",
    )


class ModelChoice(BaseModel):
    """A model and its parameters, without a second one to fall back to."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    transport: Transport = Field(default="openai", description="how it is spoken to")
    model: str = Field(
        default="gpt-5.4-mini",
        min_length=1,
        description="its id; transport/model is understood",
    )
    temperature: float | None = Field(default=None, ge=0, le=2, description="sampling")
    top_p: float | None = Field(default=None, gt=0, le=1, description="sampling")
    frequency_penalty: float | None = Field(
        default=None, ge=-2, le=2, description="sampling"
    )
    presence_penalty: float | None = Field(
        default=None, ge=-2, le=2, description="sampling"
    )
    seed: int | None = Field(default=None, description="sampling")
    thinking_effort: (
        Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None
    ) = Field(default=None, description="how much a reasoning model thinks")
    structured_output_mode: Literal["json_schema", "json_object"] = Field(
        default="json_schema", description="how an answer of a shape is asked for"
    )
    max_output_tokens: int | None = Field(
        default=None, ge=1, le=100_000, description="most tokens of an answer"
    )
    stop_sequences: list[str] | None = Field(
        default=None, description="JSON list of texts that end an answer"
    )
    overrides: Overrides = Field(default=Overrides(), description="key and endpoint")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, given: Any) -> Any:
        """Read ``openai/gpt-5.4-mini``; a slash may also be part of a model's id."""
        if not isinstance(given, dict) or not isinstance(given.get("model"), str):
            return given
        transport, slash, model = given["model"].partition("/")
        if slash and model and transport in _TRANSPORTS:
            return {"transport": transport, **given, "model": model}
        return given


class ModelConfig(ModelChoice):
    """A model, and one that answers where the first fails its last attempt."""

    fallback: ModelChoice | None = Field(
        default=None, description="a second model of the same shape"
    )


class EmbeddingConfig(BaseModel):
    """The model that makes vectors (RS 9.1)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    transport: Transport = Field(default="openai", description="how it is spoken to")
    model: str = Field(
        default="text-embedding-3-small", min_length=1, description="its id"
    )
    dimensions_mode: Literal["auto", "always", "never"] = Field(
        default="auto", description="whether the dimensions are sent"
    )
    encoding_format_mode: Literal["auto", "base64", "float"] = Field(
        default="auto", description="how vectors travel"
    )
    max_batch_size: int | None = Field(
        default=None, ge=1, le=2_048, description="most texts of a request"
    )
    overrides: Overrides = Field(default=Overrides(), description="key and endpoint")

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.transport == "anthropic":
            raise ValueError("anthropic makes no embeddings")
        return self
