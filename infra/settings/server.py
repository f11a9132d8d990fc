"""Settings of what surrounds the memory: storage, the HTTP door, keys, webhooks."""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr, field_validator


class ServerSettings(BaseModel):
    """The sections app, db, keys, auth and webhook (RS 12)."""

    cors_origins: list[str] = Field(
        default=[
            "http://localhost",
            "http://127.0.0.1:8000",
            "https://api.honcho.dev",
        ],
        description="origins a browser may call from, a JSON list",
    )
    idempotency_days: int = Field(
        default=7, ge=1, le=365, description="days an Idempotency-Key is remembered"
    )
    deletion_grace_seconds: float = Field(
        default=5.0,
        ge=0,
        le=86_400,
        description="seconds a deleted session or workspace can still be read",
    )
    checkpoint_seconds: float = Field(
        default=60.0,
        gt=0,
        le=86_400,
        description="seconds between signed checkpoints of a log that grows",
    )
    session_observers_limit: int = Field(
        default=10, ge=1, le=1_000, description="most observing peers of a session"
    )
    max_file_size: int = Field(
        default=5_242_880, ge=1, le=31_457_280, description="bytes of an upload, most"
    )
    max_message_size: int = Field(
        default=25_000,
        ge=1,
        le=65_535,
        description="characters of a message or a piece of an upload, most",
    )
    get_context_max_tokens: int = Field(
        default=100_000,
        ge=1,
        le=250_000,
        description="cap of a session context, and what it gets when it names none",
    )

    db_connection_uri: SecretStr | None = Field(
        default=None,
        description="your own Postgres (16 or newer, with the extension vector); "
        "none means the embedded one; --data wins over it",
    )
    views_on_drift: Literal["rebuild", "refuse"] = Field(
        default="rebuild",
        description="what a start does with views folded by other code than its own: "
        "fold them anew before it serves, or refuse (see `palimpsest rebuild`)",
    )
    keys_connection_uri: SecretStr | None = Field(
        default=None,
        description="a database of its own for the data keys; none: beside the log",
    )
    keys_master_key: SecretStr | None = Field(
        default=None,
        description="32 bytes in base64 that wrap the data keys; none means a file "
        "of mode 0600 in the data folder",
    )

    keys_signing_key: SecretStr | None = Field(
        default=None,
        description="32 bytes in base64 that sign checkpoints of the log (Ed25519); "
        "none: derived from KEYS_MASTER_KEY, else a file of mode 0600 beside the data",
    )

    analytics_connection_uri: SecretStr | None = Field(
        default=None,
        description="a database of its own for `palimpsest analytics`; none: beside "
        "the log, in a schema of its own",
    )

    auth_use_auth: bool = Field(
        default=False, description="want a key for everything under /v3"
    )
    auth_jwt_secret: SecretStr | None = Field(
        default=None,
        description="signs keys (HS256); `palimpsest keys secret` makes one",
    )

    webhook_secret: SecretStr | None = Field(
        default=None,
        description="signs webhook deliveries; without it nothing is delivered",
    )
    webhook_max_workspace_limit: int = Field(
        default=10, ge=1, le=1_000, description="most webhook endpoints of a workspace"
    )
    webhook_max_attempts: int = Field(
        default=8, ge=1, le=50, description="attempts of a delivery before it failed"
    )
    webhook_retry_seconds: float = Field(
        default=5.0,
        gt=0,
        le=3_600,
        description="wait after the first failed attempt; doubles, an hour at most",
    )

    @field_validator(
        "db_connection_uri",
        "keys_connection_uri",
        "analytics_connection_uri",
        mode="before",
    )
    @classmethod
    def _plain(cls, uri: object) -> object:
        """Drop a driver's name from the scheme: ``postgresql+psycopg`` and its like."""
        if not isinstance(uri, str):
            return uri
        scheme, separator, rest = uri.strip().partition("://")
        return scheme.partition("+")[0] + separator + rest
