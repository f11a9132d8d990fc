"""Settings of what is told of a server: its log, metrics and traces."""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr, field_validator


class TelemetrySettings(BaseModel):
    """The process log, metrics and otel (RS 11, 12)."""

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

    namespace: str = Field(
        default="palimpsest",
        max_length=100,
        description="names this deployment in metrics and in what is sent",
    )

    metrics_enabled: bool = Field(
        default=False, description="answer GET /metrics, without a key, for Prometheus"
    )
    metrics_namespace: str | None = Field(
        default=None,
        max_length=100,
        description="the label namespace of every series; none: NAMESPACE",
    )
    metrics_max_workspaces: int = Field(
        default=100,
        ge=0,
        le=100_000,
        description="workspaces that are told apart by name, the first that come; "
        "all others count as one, named (other)",
    )

    otel_exporter_otlp_endpoint: str | None = Field(
        default=None,
        description="send traces to this collector (OTLP over HTTP), under /v1/traces",
    )
    otel_exporter_otlp_traces_endpoint: str | None = Field(
        default=None, description="the same as a whole address; wins"
    )
    otel_exporter_otlp_headers: SecretStr | None = Field(
        default=None, description="sent along, as in `authorization=Bearer%20x,a=b`"
    )
    otel_service_name: str = Field(
        default="palimpsest", description="the name traces carry"
    )
    otel_traces_sampler: Literal[
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
    ] = Field(default="parentbased_always_on", description="which traces are sent")
    otel_traces_sampler_arg: float = Field(
        default=1.0, ge=0, le=1, description="the share a ratio sampler sends"
    )
    otel_sdk_disabled: bool = Field(default=False, description="send no traces at all")

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @field_validator("log_format", mode="before")
    @classmethod
    def _in_small(cls, form: object) -> object:
        return form.lower() if isinstance(form, str) else form
