"""Where a model is: key, address and what every request to it carries (RS 8.1)."""

import os
from typing import Any, Final

import msgspec
from pydantic import SecretStr

from infra.settings.model_choice import Overrides, Transport

OPENAI: Final = "https://api.openai.com/v1"
"""Where the transport ``openai`` is unless a setting says otherwise."""

TIMEOUT: Final = 120.0
"""Seconds of silence after which a provider is given up."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One address of a provider; ``headers``, ``query`` and ``body`` are added.

    ``timeout`` is in seconds, of silence.
    """

    api_key: SecretStr
    base_url: str = OPENAI
    headers: dict[str, str] = {}
    query: dict[str, Any] = {}
    body: dict[str, Any] = {}
    timeout: float = TIMEOUT


def find_endpoint(
    transport: Transport,
    overrides: Overrides,
    *,
    api_key: SecretStr | None,
    base_url: str | None,
) -> Endpoint | None:
    """Return where a feature's model is; None if its transport has no key.

    ``api_key`` and ``base_url`` are those of the transport, which a feature's
    overrides go before. A base URL without a key is no endpoint.
    """
    if transport != "openai":
        return None
    key = overrides.api_key or _named(overrides.api_key_env) or api_key
    if key is None or not key.get_secret_value():
        return None
    more = overrides.provider_params
    return Endpoint(
        api_key=key,
        base_url=overrides.base_url or base_url or OPENAI,
        headers=dict(more.get("extra_headers") or {}),
        query=dict(more.get("extra_query") or {}),
        body=dict(more.get("extra_body") or {}),
        timeout=float(more.get("timeout") or TIMEOUT),
    )


def _named(variable: str | None) -> SecretStr | None:
    """Return the key a variable of the environment holds."""
    held = os.environ.get(variable) if variable else None
    return SecretStr(held) if held else None
