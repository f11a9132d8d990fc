"""Settings of what is concluded and summed up, and by which model."""

from typing import Self

from pydantic import BaseModel, Field, model_validator

from infra.settings.model_choice import ModelConfig


class ReasoningSettings(BaseModel):
    """The sections deriver, peer_card and summary (RS 12)."""

    deriver_enabled: bool = Field(
        default=True, description="conclude, where no configuration says otherwise"
    )
    deriver_workers: int = Field(
        default=8,
        ge=1,
        le=100,
        description="sessions that a process concludes from at a time, and as many "
        "that it sums up, embeds and so on: more for a model that takes seconds",
    )
    deriver_model_config: ModelConfig = Field(
        default=ModelConfig(), description="the model that concludes"
    )
    deriver_flush_enabled: bool = Field(
        default=False,
        description="have the model conclude at once, whatever waits. The offline "
        "engine never waits",
    )
    deriver_deduplicate: bool = Field(
        default=True,
        description="let what only says again what is known in other words reinforce "
        "it. The offline engine knows equal texts only",
    )
    deriver_deduplicate_distance: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="cosine distance up to which two facts of a session are one",
    )
    deriver_deduplicate_uniqueness_weight: int = Field(
        default=10,
        ge=0,
        le=1_000,
        description="tokens that one is worth which the other wording lacks",
    )
    deriver_max_input_tokens: int = Field(
        default=25_000, ge=1, le=25_000, description="most tokens a model is given"
    )
    deriver_max_custom_instructions_tokens: int = Field(
        default=2_000, ge=0, le=2_000, description="of a tenant's instructions; 0: none"
    )
    deriver_representation_batch_work_unit_target_tokens: int = Field(
        default=512,
        ge=0,
        le=16_384,
        description="a model concludes when so many tokens wait in a session; 0: at "
        "once",
    )
    deriver_representation_batch_max_age_seconds: int = Field(
        default=1_800,
        ge=0,
        description="or when the oldest message waited so long; 0: never for its age",
    )
    deriver_representation_batch_target_input_tokens: int = Field(
        default=1_024, ge=128, le=16_384, description="tokens a model reads at once"
    )

    peer_card_enabled: bool = Field(
        default=True, description="use and make cards, unless configured otherwise"
    )

    summary_enabled: bool = Field(
        default=True, description="sum up, where no configuration says otherwise"
    )
    summary_model_config: ModelConfig = Field(
        default=ModelConfig(), description="the model that sums up"
    )
    summary_messages_per_short_summary: int = Field(
        default=20, ge=1, le=100, description="messages between short summaries"
    )
    summary_messages_per_long_summary: int = Field(
        default=60, ge=1, le=500, description="messages between long summaries"
    )
    summary_max_tokens_short: int = Field(
        default=1_000, ge=1, le=10_000, description="most tokens of a short summary"
    )
    summary_max_tokens_long: int = Field(
        default=4_000, ge=1, le=20_000, description="most tokens of a long summary"
    )

    @model_validator(mode="after")
    def _window_fits(self) -> Self:
        window = self.deriver_representation_batch_target_input_tokens
        if window > self.deriver_max_input_tokens:
            raise ValueError(
                "DERIVER_REPRESENTATION_BATCH_TARGET_INPUT_TOKENS is more than "
                "DERIVER_MAX_INPUT_TOKENS"
            )
        return self
