"""Settings: read once from environment and ``.env``, passed on as values.

Names are ``{SECTION}_{KEY}`` (RS 12). Secrets are ``SecretStr``: they do not show
in a log, a repr or a traceback.
"""

import re
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError


class SettingsUnusable(Exception):  # noqa: N818  says what they are
    """A setting cannot be read; ``str()`` names it and never shows its value."""


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
    log_level: Literal["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"] = Field(
        default="INFO", description="level of the process log"
    )
    cors_origins: list[str] = Field(
        default=["http://localhost", "http://127.0.0.1:8000"],
        description="origins a browser may call from (HC 1.15)",
    )
    idempotency_days: int = Field(
        default=7, ge=1, le=365, description="days an Idempotency-Key is remembered"
    )
    get_context_max_tokens: int = Field(
        default=100_000, ge=1, le=250_000, description="cap of a session context"
    )

    @field_validator("db_connection_uri", "keys_connection_uri", mode="before")
    @classmethod
    def _plain(cls, uri: object) -> object:
        """Drop a driver's name from the scheme: ``postgresql+psycopg`` and its like."""
        if not isinstance(uri, str):
            return uri
        scheme, separator, rest = uri.strip().partition("://")
        return scheme.partition("+")[0] + separator + rest

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level


def read_settings() -> Settings:
    """Read the environment, then ``.env`` of the working directory.

    Raises:
        SettingsUnusable
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"][:1]).upper()
        raise SettingsUnusable(f"the setting {name}: {first['msg']}") from None
    except SettingsError as error:
        found = re.search(r'field "(\w+)"', str(error))
        name = found[1].upper() if found else "?"
        raise SettingsUnusable(f"the setting {name} is not JSON") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsUnusable(f".env cannot be read: {error}") from None
