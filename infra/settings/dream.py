"""Settings of dreams: when they come, who works in them, how much they may take."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.settings.model_choice import ModelConfig

Tree = Literal["kdtree", "balltree", "rptree", "lsh", "graph", "prototype", "covertree"]
SurprisalLevel = Literal["explicit", "deductive", "inductive", "contradiction"]


class Surprisal(BaseModel):
    """What points specialists at outliers among vectors (RS 6.4)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    enabled: bool = Field(default=False, description="point at what is unlike the rest")
    tree_type: Tree = Field(
        default="kdtree",
        description="how outliers are told: kdtree, balltree, rptree, lsh, graph, "
        "prototype",
    )
    tree_k: int = Field(
        default=5, ge=1, le=20, description="neighbours a conclusion is compared with"
    )
    sampling_strategy: Literal["recent", "random", "all"] = Field(
        default="recent", description="which conclusions are looked at"
    )
    sample_size: int = Field(
        default=200, ge=1, le=2_000, description="most conclusions looked at"
    )
    top_percent_surprisal: float = Field(
        default=0.10, gt=0, le=1, description="share of them that is pointed at"
    )
    include_levels: list[SurprisalLevel] = Field(
        default=["explicit", "deductive"],
        min_length=1,
        description="JSON list of the levels looked at",
    )

    @model_validator(mode="after")
    def _served(self) -> Self:
        if self.tree_type == "covertree":
            raise ValueError("covertree is not served; kdtree finds the same outliers")
        return self


class DreamSettings(BaseModel):
    """The section dream (RS 12), and what of peer cards dreams obey."""

    dream_enabled: bool = Field(default=True, description="dreams may be scheduled")
    dream_document_threshold: int = Field(
        default=50,
        ge=1,
        le=1_000,
        description="explicit conclusions since the last dream after which one comes",
    )
    dream_idle_timeout_minutes: float = Field(
        default=60, ge=0, le=1_440, description="silence before a dream comes by itself"
    )
    dream_min_hours_between_dreams: float = Field(
        default=8, ge=0, le=72, description="rest of a pair between dreams"
    )
    dream_enabled_types: list[Literal["omni", "card_refresh"]] = Field(
        default=["omni"], description="JSON list of the dreams that come by themselves"
    )
    dream_max_tool_iterations: int = Field(
        default=20,
        ge=1,
        le=50,
        description="most calls with tools of any specialist, whatever is set for it",
    )
    dream_deduction_max_tool_iterations: int = Field(
        default=12, ge=1, le=50, description="calls with tools of the deduction"
    )
    dream_induction_max_tool_iterations: int = Field(
        default=10, ge=1, le=50, description="calls with tools of the induction"
    )
    dream_card_refresh_max_tool_iterations: int = Field(
        default=6, ge=1, le=50, description="calls with tools of the card refresh"
    )
    dream_max_output_tokens: int = Field(
        default=8_192,
        ge=1,
        le=100_000,
        description="most tokens of an answer, where the model's settings say nothing",
    )
    dream_max_input_tokens: int = Field(
        default=100_000, ge=1_000, le=200_000, description="most tokens of one call"
    )
    dream_max_total_tokens: int = Field(
        default=500_000,
        ge=1_000,
        description="most tokens of all calls of one specialist together",
    )
    dream_max_attempts: int = Field(
        default=5, ge=1, le=100, description="attempts after which a dream is given up"
    )
    dream_workers: int = Field(
        default=2, ge=1, le=100, description="dreams at a time in one process"
    )
    dream_deduction_model_config: ModelConfig = Field(
        default=ModelConfig(), description="the model that deduces and keeps cards"
    )
    dream_induction_model_config: ModelConfig = Field(
        default=ModelConfig(), description="the model that finds patterns"
    )
    dream_surprisal: Surprisal = Field(
        default=Surprisal(), description="pointing at what is unlike the rest"
    )
    dream_card_max_entries: Annotated[
        int, Field(ge=0, le=1_000, description="most lines of a card agents write")
    ] = 40
    dream_card_max_entry_chars: Annotated[
        int, Field(ge=20, le=10_000, description="longest line agents write")
    ] = 200
