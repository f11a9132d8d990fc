"""Which model a feature runs on, and how it is asked (RS 8.1)."""

from collections.abc import Mapping
from typing import Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Transport = Literal["openai", "anthropic", "gemini", "groq"]

_LEAST_BUDGET: Final = 1_024
"""Tokens of thought below which Anthropic refuses (RS 8.1)."""


class CachePolicy(BaseModel):
    """What of a prompt its provider should keep for the next one (RS 8.1)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    mode: Literal["none", "prefix", "gemini_cached_content"] = Field(
        default="prefix",
        description="none; prefix: what comes before the question, where the provider "
        "wants to be told; Gemini keeps prefixes unasked, so its own mode means prefix",
    )
    ttl_seconds: int = Field(
        default=300,
        ge=1,
        description="how long; Anthropic knows 300 and, from there on, 3600",
    )
    key_version: str | None = Field(
        default=None,
        max_length=64,
        description="OpenAI: prompts of one key are sent to the same cache",
    )


def spelled(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a choice as it is given, its transport taken out of its model's name."""
    named = given.get("model")
    if not isinstance(named, str):
        return dict(given)
    transport, slash, model = named.partition("/")
    if slash and model and transport in get_args(Transport):
        return {"transport": transport, **given, "model": model}
    return dict(given)


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
    top_k: int | None = Field(
        default=None,
        ge=1,
        description="sampling; not sent to OpenAI, Gemini and Groq, who refuse it",
    )
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
    thinking_budget_tokens: int | None = Field(
        default=None,
        ge=0,
        le=100_000,
        description="tokens of thought, part of the answer's; Anthropic from 1024 on, "
        "Gemini; 0: none",
    )
    structured_output_mode: Literal["json_schema", "json_object"] = Field(
        default="json_schema", description="how an answer of a shape is asked for"
    )
    max_output_tokens: int | None = Field(
        default=None, ge=1, le=100_000, description="most tokens of an answer"
    )
    stop_sequences: list[str] | None = Field(
        default=None, description="JSON list of texts that end an answer"
    )
    cache_policy: CachePolicy = Field(
        default=CachePolicy(), description="what its provider keeps of a prompt"
    )
    overrides: Overrides = Field(default=Overrides(), description="key and endpoint")

    @property
    def parameters(self) -> dict[str, str]:
        """What is set beside the model, as is recorded with what it makes."""
        elsewhere = {"transport", "model", "overrides", "fallback"}
        chosen = self.model_dump(exclude_none=True, exclude=elsewhere)
        if self.cache_policy == CachePolicy():
            del chosen["cache_policy"]
        return {name: str(value) for name, value in chosen.items()}

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, given: Any) -> Any:
        """Read ``openai/gpt-5.4-mini``; a slash may also be part of a model's id."""
        return spelled(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _thinks_within_its_answer(self) -> Self:
        """Refuse what Anthropic would refuse each time it is asked."""
        budget = self.thinking_budget_tokens
        if self.transport != "anthropic" or not budget:
            return self
        if budget < _LEAST_BUDGET:
            raise ValueError(f"thinking_budget_tokens must be {_LEAST_BUDGET} or more")
        if self.max_output_tokens is not None and budget >= self.max_output_tokens:
            raise ValueError("thinking_budget_tokens must be below max_output_tokens")
        return self


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
        if self.transport in {"anthropic", "groq"}:
            raise ValueError(f"{self.transport} makes no embeddings")
        return self
