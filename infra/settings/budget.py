"""Settings of what may be spent on models, and how long their answers are kept."""

from typing import Literal

from pydantic import BaseModel, Field


class BudgetSettings(BaseModel):
    """The section budget, and what the journal of calls keeps."""

    budget_max_cost_usd: float | None = Field(
        default=None,
        ge=0,
        le=1_000_000_000,
        description="dollars a workspace may spend on models in a window; every model "
        "needs a price in LLM_PRICES. None: no cap",
    )
    budget_max_tokens: int | None = Field(
        default=None,
        ge=0,
        le=2**53,
        description="tokens, in and out, a workspace may use in a window; none: no cap",
    )
    budget_window: Literal["day", "month", "total"] = Field(
        default="month", description="when spending begins anew, in UTC"
    )
    budget_retry_seconds: int = Field(
        default=30,
        ge=1,
        le=3_600,
        description="what waits for a budget looks again so often",
    )
    llm_journal_days: int = Field(
        default=7,
        ge=1,
        le=3_650,
        description="days a model's answers are kept, sealed, to be paid once",
    )
