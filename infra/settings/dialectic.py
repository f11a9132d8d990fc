"""Settings of chat: five levels of effort, and what an answer may take in (RS 7.2)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from infra.settings.model_choice import ModelConfig


class DialecticLevel(BaseModel):
    """How hard one level tries."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: ModelConfig = Field(
        default=ModelConfig(), alias="model_config", description="its model"
    )
    max_output_tokens: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="most tokens of an answer; none: DIALECTIC_MAX_OUTPUT_TOKENS",
    )


class DialecticLevels(BaseModel):
    """The levels a chat may name (HC E12)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    minimal: DialecticLevel = DialecticLevel(max_output_tokens=250)
    low: DialecticLevel = DialecticLevel()
    medium: DialecticLevel = DialecticLevel()
    high: DialecticLevel = DialecticLevel()
    max: DialecticLevel = DialecticLevel()

    @field_validator("minimal", mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        """Keep the short answer where only something else is set."""
        return {"max_output_tokens": 250, **given} if isinstance(given, dict) else given


class DialecticSettings(BaseModel):
    """The section dialectic."""

    dialectic_levels: DialecticLevels = Field(
        default=DialecticLevels(),
        description="per level MODEL_CONFIG and MAX_OUTPUT_TOKENS",
    )
    dialectic_max_output_tokens: int = Field(
        default=8_192, ge=1, le=100_000, description="most tokens of an answer"
    )
    dialectic_max_input_tokens: int = Field(
        default=100_000, ge=1, le=200_000, description="most tokens of a question"
    )
    dialectic_session_history_max_tokens: int = Field(
        default=4_096,
        ge=0,
        le=16_384,
        description="newest messages of the session a question names; 0: none",
    )
