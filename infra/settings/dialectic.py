"""Settings of chat: five levels of effort, and what an answer may take in (RS 7.2)."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from infra.settings.model_choice import ModelConfig

Choice = Literal["auto", "none", "required"]


class DialecticLevel(BaseModel):
    """How hard one level tries."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: ModelConfig = Field(
        default=ModelConfig(), alias="model_config", description="its model"
    )
    max_tool_iterations: int = Field(
        default=5,
        ge=0,
        le=50,
        description="calls of the model in which it may use tools; 0: no tools. One "
        "more may follow, without them",
    )
    max_output_tokens: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="most tokens of an answer; none: DIALECTIC_MAX_OUTPUT_TOKENS",
    )
    tool_choice: Choice = Field(
        default="auto",
        description="auto, none, or required (any): it must look something up first",
    )
    prefetch: int = Field(
        default=25,
        ge=0,
        le=100,
        description="explicit conclusions fetched beforehand, and as many derived ones "
        "and messages",
    )

    @field_validator("tool_choice", mode="before")
    @classmethod
    def _any(cls, given: Any) -> Any:
        """Read the other word for it; nothing is ``auto``."""
        return {"any": "required", None: "auto"}.get(given, given)


_LEVELS: Final[dict[str, dict[str, Any]]] = {
    "minimal": {"max_tool_iterations": 1, "max_output_tokens": 250, "prefetch": 10},
    "low": {"max_tool_iterations": 5},
    "medium": {"max_tool_iterations": 2},
    "high": {"max_tool_iterations": 4},
    "max": {"max_tool_iterations": 10},
}
"""What tells the levels apart (RS 7.2)."""


class DialecticLevels(BaseModel):
    """The levels a chat may name (HC E12)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    minimal: DialecticLevel = DialecticLevel(**_LEVELS["minimal"])
    low: DialecticLevel = DialecticLevel(**_LEVELS["low"])
    medium: DialecticLevel = DialecticLevel(**_LEVELS["medium"])
    high: DialecticLevel = DialecticLevel(**_LEVELS["high"])
    max: DialecticLevel = DialecticLevel(**_LEVELS["max"])

    @field_validator("*", mode="before")
    @classmethod
    def _as_told_apart(cls, given: Any, info: ValidationInfo) -> Any:
        """Keep what a level is by default where only something else is set."""
        own = _LEVELS[str(info.field_name)]
        return {**own, **given} if isinstance(given, dict) else given


class DialecticSettings(BaseModel):
    """The section dialectic."""

    dialectic_levels: DialecticLevels = Field(
        default=DialecticLevels(),
        description="per level MODEL_CONFIG, MAX_TOOL_ITERATIONS, MAX_OUTPUT_TOKENS, "
        "TOOL_CHOICE and PREFETCH",
    )
    dialectic_max_output_tokens: int = Field(
        default=8_192, ge=1, le=100_000, description="most tokens of an answer"
    )
    dialectic_max_input_tokens: int = Field(
        default=100_000, ge=1, le=200_000, description="most tokens one call is given"
    )
    dialectic_max_total_tokens: int = Field(
        default=400_000,
        ge=1_000,
        le=10_000_000,
        description="most tokens all calls for one answer take together, in and out",
    )
    dialectic_session_history_max_tokens: int = Field(
        default=4_096,
        ge=0,
        le=16_384,
        description="newest messages of the session a question names; 0: none",
    )
