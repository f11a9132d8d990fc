"""Settings of how models are spoken to: keys, addresses, bounds, prices (RS 8, 12)."""

from pydantic import BaseModel, Field, SecretStr, model_validator

from infra.settings.price import Price


class LlmSettings(BaseModel):
    """The section llm."""

    llm_openai_api_key: SecretStr | None = Field(
        default=None, description="key of the transport openai; none: offline engine"
    )
    llm_openai_base_url: str | None = Field(
        default=None, description="endpoint of the transport openai"
    )
    llm_anthropic_api_key: SecretStr | None = Field(
        default=None, description="key of the transport anthropic"
    )
    llm_anthropic_base_url: str | None = Field(
        default=None, description="endpoint of the transport anthropic"
    )
    llm_gemini_api_key: SecretStr | None = Field(
        default=None, description="key of the transport gemini"
    )
    llm_gemini_base_url: str | None = Field(
        default=None,
        description="endpoint of the transport gemini, of the OpenAI protocol",
    )
    llm_groq_api_key: SecretStr | None = Field(
        default=None, description="key of the transport groq"
    )
    llm_groq_base_url: str | None = Field(
        default=None, description="endpoint of the transport groq"
    )
    llm_default_max_tokens: int = Field(
        default=2_500, ge=1, le=100_000, description="most tokens of an answer"
    )
    llm_max_attempts: int = Field(
        default=3,
        ge=1,
        le=10,
        description="how often one request is sent; with a fallback, once to the "
        "model and from then on to the fallback",
    )
    llm_retry_min_wait_seconds: float = Field(
        default=4.0, ge=0, le=300, description="least wait between two attempts"
    )
    llm_retry_max_wait_seconds: float = Field(
        default=10.0,
        ge=0,
        le=300,
        description="most; a provider that asks for more is left alone for so long",
    )
    llm_connect_timeout_seconds: float = Field(
        default=10.0, gt=0, le=600, description="to connect to a provider"
    )
    llm_first_piece_timeout_seconds: float = Field(
        default=120.0, gt=0, le=3_600, description="until a streamed answer begins"
    )
    llm_silence_timeout_seconds: float = Field(
        default=120.0, gt=0, le=3_600, description="between pieces of a streamed answer"
    )
    llm_timeout_seconds: float = Field(
        default=600.0, gt=0, le=3_600, description="from a request to its answer's end"
    )
    llm_prices: dict[str, Price] = Field(
        default={},
        description="JSON: what a model costs, recorded with what it answers, as in "
        '{"a-model": {"input": 2, "output": 8, "cached": 0.5}}, dollars '
        "per million tokens; cached and cache_written as input unless given",
    )

    @model_validator(mode="after")
    def _waits_in_order(self) -> "LlmSettings":
        if self.llm_retry_min_wait_seconds > self.llm_retry_max_wait_seconds:
            raise ValueError(
                "LLM_RETRY_MIN_WAIT_SECONDS is more than LLM_RETRY_MAX_WAIT_SECONDS"
            )
        return self
