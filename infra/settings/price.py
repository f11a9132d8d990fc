"""What a model costs; nothing is built in, since prices change."""

from pydantic import BaseModel, ConfigDict, Field


class Price(BaseModel):
    """Dollars per million tokens, in and out; ``cached`` for those read from a cache.

    ``cache_written`` is for those a cache took. Without either, such tokens cost what
    all others do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0, le=1_000_000)
    output: float = Field(ge=0, le=1_000_000)
    cached: float | None = Field(default=None, ge=0, le=1_000_000)
    cache_written: float | None = Field(default=None, ge=0, le=1_000_000)
