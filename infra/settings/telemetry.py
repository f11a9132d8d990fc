"""Settings of what is told of a server: log, metrics, traces, events, errors."""

from typing import Literal, Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator


class TelemetrySettings(BaseModel):
    """The process log, metrics, otel, telemetry and sentry (RS 11, 12)."""

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

    telemetry_enabled: bool = Field(
        default=False, description="send CloudEvents of what happens, without content"
    )
    telemetry_endpoint: str | None = Field(
        default=None, description="where batches of CloudEvents are posted"
    )
    telemetry_headers: SecretStr | None = Field(
        default=None, description='sent along, a JSON object as in {"X-Key": "..."}'
    )
    telemetry_batch_size: int = Field(
        default=100, ge=1, le=1_000, description="most events of one request"
    )
    telemetry_flush_interval_seconds: float = Field(
        default=1.0, gt=0, le=60, description="longest an event waits to be sent"
    )
    telemetry_flush_threshold: int = Field(
        default=50, ge=1, le=1_000, description="events that are sent at once"
    )
    telemetry_max_retries: int = Field(
        default=3, ge=1, le=10, description="times a request is tried"
    )
    telemetry_max_buffer_size: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description="events that wait, most; the oldest is dropped for a new one",
    )
    telemetry_namespace: str | None = Field(
        default=None,
        max_length=100,
        description="the namespace in each event's source; none: NAMESPACE",
    )
    telemetry_high_volume_sample_rate: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="share of runs whose frequent events are sent, whole runs",
    )

    sentry_enabled: bool = Field(
        default=False, description="report errors, without content (extra `sentry`)"
    )
    sentry_dsn: SecretStr | None = Field(
        default=None, description="where errors are reported"
    )
    sentry_release: str | None = Field(
        default=None, description="the release reports name"
    )
    sentry_environment: str = Field(
        default="development", description="the environment reports name"
    )
    sentry_traces_sample_rate: float = Field(
        default=0.1, ge=0, le=1, description="share of requests reported with times"
    )
    sentry_profiles_sample_rate: float = Field(
        default=0.1, ge=0, le=1, description="share of those that are profiled"
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @field_validator("log_format", mode="before")
    @classmethod
    def _in_small(cls, form: object) -> object:
        return form.lower() if isinstance(form, str) else form

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.telemetry_enabled and not self.telemetry_endpoint:
            raise ValueError("TELEMETRY_ENABLED wants TELEMETRY_ENDPOINT")
        if self.sentry_enabled and self.sentry_dsn is None:
            raise ValueError("SENTRY_ENABLED wants SENTRY_DSN")
        return self
