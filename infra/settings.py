"""Settings: read once from environment and ``.env``, passed on as values.

Names are ``{SECTION}_{KEY}`` (RS 12). Secrets are ``SecretStr``: they do not show
in a log, a repr or a traceback.
"""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that can be set; each field says what reads it."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    db_connection_uri: SecretStr | None = Field(
        default=None, description="your own Postgres; none means the embedded one"
    )
    keys_connection_uri: SecretStr | None = Field(
        default=None, description="a database of its own for the data keys"
    )
    keys_master_key: SecretStr | None = Field(
        default=None,
        description="32 bytes in base64 that wrap the data keys; none means a file "
        "in the data folder",
    )
    log_level: str = Field(default="INFO", description="level of the process log")
    cors_origins: list[str] = Field(
        default=["http://localhost", "http://127.0.0.1:8000"],
        description="origins a browser may call from (HC 1.15)",
    )
    get_context_max_tokens: int = Field(
        default=100_000, ge=1, le=250_000, description="cap of a session context"
    )
