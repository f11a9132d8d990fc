"""Settings of what is told of a server: its log."""

from typing import Literal

from pydantic import BaseModel, Field, field_validator


class TelemetrySettings(BaseModel):
    """What is told of a server (RS 11, 12)."""

    log_level: Literal["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"] = Field(
        default="INFO", description="level of the process log; no content at info"
    )
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto",
        description="form of the process log; auto: text on a terminal, else JSON, "
        "a line each",
    )
    log_requests: bool = Field(
        default=False, description="a line of the process log for each request, at info"
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @field_validator("log_format", mode="before")
    @classmethod
    def _in_small(cls, form: object) -> object:
        return form.lower() if isinstance(form, str) else form
