"""Where a model is: key, address and what every request to it carries (RS 8.1)."""

import os
from typing import Any, Final

import msgspec
from pydantic import SecretStr

from infra.settings import Settings
from infra.settings.model_choice import Overrides, Transport

USUAL: Final[dict[Transport, str]] = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/openai/",
    "groq": "https://api.groq.com/openai/v1",
}
"""Where each transport is unless a setting says otherwise."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One address of a provider; ``headers``, ``query`` and ``body`` are added.

    ``timeout`` is in seconds, of one whole request; None leaves what is set for all.
    """

    api_key: SecretStr
    base_url: str = USUAL["openai"]
    headers: dict[str, str] = {}
    query: dict[str, Any] = {}
    body: dict[str, Any] = {}
    timeout: float | None = None


def find_endpoint(
    settings: Settings, transport: Transport, overrides: Overrides
) -> Endpoint | None:
    """Return where a feature's model is; None if its transport has no key.

    A feature's overrides go before what is set for its transport. A base URL without
    a key is no endpoint.
    """
    key_of, base_url = _set_for(settings, transport)
    key = overrides.api_key or _named(overrides.api_key_env) or key_of
    if key is None or not key.get_secret_value():
        return None
    more = overrides.provider_params
    timeout = more.get("timeout")
    return Endpoint(
        api_key=key,
        base_url=overrides.base_url or base_url or USUAL[transport],
        headers=dict(more.get("extra_headers") or {}),
        query=dict(more.get("extra_query") or {}),
        body=dict(more.get("extra_body") or {}),
        timeout=float(timeout) if timeout else None,
    )


def _set_for(
    settings: Settings, transport: Transport
) -> tuple[SecretStr | None, str | None]:
    """Return key and address that are set for a transport."""
    match transport:
        case "openai":
            return settings.llm_openai_api_key, settings.llm_openai_base_url
        case "anthropic":
            return settings.llm_anthropic_api_key, settings.llm_anthropic_base_url
        case "gemini":
            return settings.llm_gemini_api_key, settings.llm_gemini_base_url
        case "groq":
            return settings.llm_groq_api_key, settings.llm_groq_base_url


def _named(variable: str | None) -> SecretStr | None:
    """Return the key a variable of the environment holds."""
    held = os.environ.get(variable) if variable else None
    return SecretStr(held) if held else None
